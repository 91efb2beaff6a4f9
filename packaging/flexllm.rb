# Homebrew formula. scripts/package_manifests.ts fills in the placeholders.
class Flexllm < Formula
  desc "Send any number of prompts to LLM endpoints, with resume, cache and cost control"
  homepage "https://github.com/{{repository}}"
  version "{{version}}"
  license "MIT"

  on_macos do
    on_arm do
      url "{{url}}/flexllm-macos-arm64"
      sha256 "{{sha256 flexllm-macos-arm64}}"
    end
    on_intel do
      url "{{url}}/flexllm-macos-x64"
      sha256 "{{sha256 flexllm-macos-x64}}"
    end
  end

  on_linux do
    on_arm do
      url "{{url}}/flexllm-linux-arm64"
      sha256 "{{sha256 flexllm-linux-arm64}}"
    end
    on_intel do
      url "{{url}}/flexllm-linux-x64"
      sha256 "{{sha256 flexllm-linux-x64}}"
    end
  end

  def install
    bin.install Dir["flexllm-*"].first => "flexllm"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/flexllm version")
  end
end
