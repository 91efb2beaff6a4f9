# Installs flexllm: gets the binary of a release, compares its checksum, and only then puts it in place.
#
#   .\install.ps1            the latest release
#   .\install.ps1 0.2.0      this one
#
# FLEXLLM_INSTALL        the folder that the binary goes to; default %LOCALAPPDATA%\Programs\flexllm
# FLEXLLM_RELEASES_URL   where releases are, laid out as GitHub does; default GitHub
param([string] $Version = "latest")

$ErrorActionPreference = "Stop"
# The bar makes downloads many times slower.
$ProgressPreference = "SilentlyContinue"

function Install-Flexllm([string] $Version) {
  if ($Version -notmatch '^(latest|v?[0-9][0-9A-Za-z.+-]*)$') {
    throw "expected a version such as 0.2.0, got `"$Version`""
  }
  $releases = "https://github.com/flexllm/flexllm/releases"
  if ($env:FLEXLLM_RELEASES_URL) { $releases = $env:FLEXLLM_RELEASES_URL.TrimEnd("/") }
  $source = "$releases/latest/download"
  if ($Version -ne "latest") { $source = "$releases/download/v$($Version.TrimStart('v'))" }

  $folder = $env:FLEXLLM_INSTALL
  if (-not $folder) { $folder = Join-Path $env:LOCALAPPDATA "Programs\flexllm" }
  # Windows on ARM runs it, too.
  $file = "flexllm-windows-x64.exe"

  [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
  New-Item -ItemType Directory -Force -Path $folder | Out-Null
  $temporary = Join-Path $folder ".flexllm-$([Guid]::NewGuid())"
  New-Item -ItemType Directory -Path $temporary | Out-Null
  try {
    $sums = Join-Path $temporary "SHA256SUMS"
    $binary = Join-Path $temporary "flexllm.exe"
    Invoke-WebRequest -UseBasicParsing -Uri "$source/SHA256SUMS" -OutFile $sums
    $line = Get-Content $sums | Where-Object { $_ -match "^[0-9a-f]{64} [ *]$([Regex]::Escape($file))$" }
    if (-not $line) { throw "the release has no checksum for $file. Nothing was installed." }
    $expected = @($line)[0].Substring(0, 64)
    Invoke-WebRequest -UseBasicParsing -Uri "$source/$file" -OutFile $binary
    $actual = (Get-FileHash -Algorithm SHA256 $binary).Hash.ToLowerInvariant()
    if ($actual -ne $expected) {
      throw "the checksum of $file is wrong: expected $expected, got $actual. Nothing was installed."
    }
    if ($IsLinux -or $IsMacOS) { chmod 755 $binary }
    $said = & $binary version
    if ($LASTEXITCODE -ne 0) {
      throw "the binary does not run on this system. Nothing was installed."
    }
    Move-Item -Force $binary (Join-Path $folder "flexllm.exe")
    Write-Output "$said is installed as $(Join-Path $folder 'flexllm.exe')"
    if (($env:PATH -split [IO.Path]::PathSeparator) -notcontains $folder) {
      Write-Output "It is not on your PATH yet: add $folder to it."
    }
  } finally {
    Remove-Item -Recurse -Force $temporary -ErrorAction SilentlyContinue
  }
}

# The last line, so that a script that was cut does nothing.
Install-Flexllm $Version
