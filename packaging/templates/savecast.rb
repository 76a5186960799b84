class Savecast < Formula
  desc "Web server in which every file is a live stream"
  homepage "@REPOSITORY@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/savecast-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256 savecast-aarch64-apple-darwin.tar.gz@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/savecast-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256 savecast-x86_64-apple-darwin.tar.gz@"
    end
  end

  on_linux do
    on_arm do
      url "@REPOSITORY@/releases/download/v@VERSION@/savecast-aarch64-unknown-linux-gnu.tar.gz"
      sha256 "@SHA256 savecast-aarch64-unknown-linux-gnu.tar.gz@"
    end
    on_intel do
      url "@REPOSITORY@/releases/download/v@VERSION@/savecast-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@SHA256 savecast-x86_64-unknown-linux-gnu.tar.gz@"
    end
  end

  def install
    bin.install "savecast"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/savecast.bash" => "savecast"
    zsh_completion.install "completions/_savecast"
    fish_completion.install "completions/savecast.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/savecast --version")
  end
end
