# Installs flexllm: downloads the binary of a release, verifies its checksum, and only then installs it.
#
#   .\install.ps1            the latest release
#   .\install.ps1 0.2.0      a specific release
#
# FLEXLLM_INSTALL        the directory to install to; default %LOCALAPPDATA%\Programs\flexllm
# FLEXLLM_RELEASES_URL   a mirror of the releases, with GitHub's URL layout; default GitHub
param([string] $Version = "latest")

$ErrorActionPreference = "Stop"
# The progress bar makes downloads many times slower.
$ProgressPreference = "SilentlyContinue"

function Expand-Gzip([string] $From, [string] $To) {
  $in = [IO.File]::OpenRead($From)
  $out = [IO.File]::Create($To)
  $gzip = New-Object IO.Compression.GZipStream $in, ([IO.Compression.CompressionMode]::Decompress)
  try { $gzip.CopyTo($out) } finally { $gzip.Dispose(); $out.Dispose(); $in.Dispose() }
}

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
  # Windows on ARM also runs x64 binaries.
  $file = "flexllm-windows-x64.exe"

  [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
  New-Item -ItemType Directory -Force -Path $folder | Out-Null
  $temporary = Join-Path $folder ".flexllm-$([Guid]::NewGuid())"
  New-Item -ItemType Directory -Path $temporary | Out-Null
  try {
    $sums = Join-Path $temporary "SHA256SUMS"
    $binary = Join-Path $temporary "flexllm.exe"
    Invoke-WebRequest -UseBasicParsing -Uri "$source/SHA256SUMS" -OutFile $sums
    # Half the size, if the release has it.
    foreach ($name in "$file.gz", $file) {
      $line = Get-Content $sums | Where-Object { $_ -match "^[0-9a-f]{64} [ *]$([Regex]::Escape($name))$" }
      if ($line) { break }
    }
    if (-not $line) { throw "the release has no checksum for $file. Nothing was installed." }
    $expected = @($line)[0].Substring(0, 64)
    $download = Join-Path $temporary $name
    Invoke-WebRequest -UseBasicParsing -Uri "$source/$name" -OutFile $download
    $actual = (Get-FileHash -Algorithm SHA256 $download).Hash.ToLowerInvariant()
    if ($actual -ne $expected) {
      throw "the checksum of $name is wrong: expected $expected, got $actual. Nothing was installed."
    }
    if ($name -eq $file) { Move-Item $download $binary } else { Expand-Gzip $download $binary }
    if ($IsLinux -or $IsMacOS) { chmod 755 $binary }
    $versionLine = & $binary version
    if ($LASTEXITCODE -ne 0) {
      throw "the binary does not run on this system. Nothing was installed."
    }
    Move-Item -Force $binary (Join-Path $folder "flexllm.exe")
    Write-Output "Installed $versionLine as $(Join-Path $folder 'flexllm.exe')"
    if (($env:PATH -split [IO.Path]::PathSeparator) -notcontains $folder) {
      Write-Output "$folder is not on your PATH. Add it."
    }
  } finally {
    Remove-Item -Recurse -Force $temporary -ErrorAction SilentlyContinue
  }
}

# On the last line, so that a truncated script does nothing.
Install-Flexllm $Version
