# nix run "git+REPOSITORY?dir=packaging", with the repository of Cargo.toml
{
  description = "Serves a directory in which every file is a live stream";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs = { self, nixpkgs }:
    let
      crate = (builtins.fromTOML (builtins.readFile ../Cargo.toml)).package;
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      build = pkgs: pkgs.rustPlatform.buildRustPackage {
        pname = crate.name;
        version = crate.version;
        src = ../.;
        cargoLock.lockFile = ../Cargo.lock;
        # They need browsers, Redis and a network.
        doCheck = false;
        nativeBuildInputs = [ pkgs.installShellFiles ];
        postInstall = ''
          installManPage packaging/man/*.1
          installShellCompletion --cmd savecast --bash packaging/completions/savecast.bash \
            --zsh packaging/completions/_savecast --fish packaging/completions/savecast.fish
        '';
        meta = {
          description = crate.description;
          homepage = crate.repository;
          license = with pkgs.lib.licenses; [ mit asl20 ];
          mainProgram = "savecast";
        };
      };
    in
    {
      packages = nixpkgs.lib.genAttrs systems (system: { default = build nixpkgs.legacyPackages.${system}; });
    };
}
