//! The help is what people read first: every word of it is looked at before it changes.

use super::Home;
use snapbox::{IntoData as _, assert_data_eq, str};

#[test]
fn of_the_program() {
    let help = Home::new().trust("-h").ends(0).stdout;
    assert_data_eq!(
        help,
        str![[r#"
Sign container images, and refuse the ones nobody signed

Usage: trust [OPTIONS] <COMMAND>

Commands:
  key         Make, load, keep, look at and replace signing keys
  signer      Add, remove and replace signers of repositories
  delegation  Change and list who may sign which tags, at any depth
  witness     Sign roles again as they are
  repo        Begin repositories of signed tags, look at them, publish staged changes, keep them in
              force
  sign        Sign images
  revoke      Take back the signatures on an image, or on all tags of a repository
  inspect     Show who signed what in repositories
  verify      Check that images are signed
  pull        Pull images that are signed
  why         Explain the decision on an image, step by step
  server      Run a trust server and look after it
  policy      Check a policy, and explain what it says of an image
  gate        Let engines run nothing that the policy refuses
  hook        Wire a gate into an engine, and undo it
  doctor      Say what on this host is not enforced, and how to mend it
  help        Print this message or the help of the given subcommand(s)

Options:
  -h, --help     Print help (see more with '--help')
  -V, --version  Print version

Global options:
      --trust-dir <DIR>          Folder of keys and trusted metadata [default:
                                 `$DOCKER_CONFIG/trust`, else `~/.docker/trust`]
      --server <URL>             Trust server [default: `$DOCKER_CONTENT_TRUST_SERVER`, else the
                                 registry's]
      --tls-ca <FILE>            Certificate authority of the servers [default: Docker's folder
                                 `tls/HOST`]
      --offline                  Never touch the network; use the metadata kept on this machine
      --passphrase-file <FILE>   File with the passphrase of every key that is used
      --pkcs11-module <FILE>     PKCS#11 library of tokens that hold keys; may be given several
                                 times
      --pin-file <[LABEL=]FILE>  File with the PIN of every token, or of the one called LABEL; may
                                 be given several times
      --format <FORM>            Form of the results [default: text] [possible values: text, json]
  -q, --quiet                    No progress, no remarks: results and errors only
  -v, --verbose                  Say on standard error what is being done
      --color <WHEN>             When to use colors on standard error [default: auto] [possible
                                 values: auto, never, always]

"#]]
        .raw()
    );
}

#[test]
fn of_key_commands() {
    assert_data_eq!(
        own_part("key generate"),
        str![[r#"
Generate and load a signing key pair

The private key is kept encrypted in the trust directory, or made on a token that never gives it
away; the public key is written to NAME.pub, for whoever adds NAME as a signer.

Usage: trust key generate [OPTIONS] <NAME>

Arguments:
  <NAME>
          Name of the key, usually its owner

Options:
      --dir <DIR>
          Folder for the public key [default: this one]

      --type <TYPE>
          Kind of key: ecdsa or ed25519 in a file, of which docker reads only ecdsa; ecdsa or rsa on
          a token
          
          [default: ecdsa]
          [possible values: ecdsa, ed25519, rsa]

      --token <LABEL>
          Make the key on the token of this label or serial number

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("key load"),
        str![[r#"
Load a private key file for signing

Reads PEM: PKCS#8, SEC1 and PKCS#1, plain or encrypted. The key is kept encrypted with a new
passphrase in the trust directory, or put on a token that never gives it away. Of a file with
several keys, as `notary key export` writes it, all are loaded that are not there already.

Usage: trust key load [OPTIONS] <KEYFILE>

Arguments:
  <KEYFILE>
          The key

Options:
      --name <NAME>
          Name of the key's owner, if the file does not say
          
          [default: signer]

      --token <LABEL>
          Put the key on the token of this label or serial number, not in a file

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("key list"),
        str![[r#"
List the private keys on this machine and its tokens

The type of an encrypted key, and the repositories that use a key, are known once trust data that
name it have been seen.

Usage: trust key list [OPTIONS]

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("key show"),
        str![[r#"
Show a key's public half and where it is used

The passphrase is needed only for a key file that no trust data seen so far name; a PIN never.

Usage: trust key show [OPTIONS] <ID|NAME>

Arguments:
  <ID|NAME>
          Id, the first digits of it, or name of the key

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_commands_that_move_keys() {
    assert_data_eq!(
        own_part("key export"),
        str![[r#"
Write a key to a file for another machine

The private key stays encrypted with the passphrase it has here; one that has none gets one. `trust
key load` and `notary key import` read the file.

Usage: trust key export [OPTIONS] --output <FILE> <ID|NAME>

Arguments:
  <ID|NAME>
          Id, the first digits of it, or name of the key

Options:
  -o, --output <FILE>
          The new file

      --public
          Only the public key, as `trust signer add` reads it

      --certificate <REPOSITORY>
          Only a certificate of a root key for this repository, as others name it with --cert or
          --root-cert

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("key passwd"),
        str![[r#"
Change the passphrase of a key

The present passphrase comes from where it always comes from. Copies in backups and exported files
keep the one they were made with.

Usage: trust key passwd [OPTIONS] <ID|NAME>

Arguments:
  <ID|NAME>
          Id, the first digits of it, or name of the key

Options:
      --new-passphrase-file <FILE>
          File with the new passphrase [default: a prompt]

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("key remove"),
        str![[r#"
Remove a private key from this machine

Says first which repositories still need it, as far as is known here, and asks. Every file that
holds the key goes, also in the folders of old versions; backups stay.

Usage: trust key remove [OPTIONS] <ID|NAME>

Arguments:
  <ID|NAME>
          Id, the first digits of it, or name of the key

Options:
  -f, --force
          Do not ask

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_commands_that_keep_keys() {
    assert_data_eq!(
        own_part("key backup"),
        str![[r#"
Write all keys into one encrypted file

Each key also keeps its own passphrase inside; one that has none is protected by that of the backup
alone. `trust key restore` brings the keys back.

Usage: trust key backup [OPTIONS] --output <FILE>

Options:
  -o, --output <FILE>
          The new file

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("key restore"),
        str![[r#"
Bring keys back from a backup

A key that is here already is left alone.

Usage: trust key restore [OPTIONS] <FILE>

Arguments:
  <FILE>
          What `trust key backup` wrote

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("key migrate"),
        str![[r#"
Copy keys of old versions into the form of today

Finds keys in the folders of Notary before 0.4, keys encrypted as they were then, and keys without a
passphrase, which get one. The old files are kept.

Usage: trust key migrate [OPTIONS]

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("key rotate"),
        str![[r#"
Give a role of a repository new keys: root, targets, snapshot or timestamp

Published at once. A new root is signed with the keys before it, too, so that everybody who trusted
those follows. Old private keys stay on this machine.

Usage: trust key rotate [OPTIONS] <ROLE> <REPOSITORY>

Arguments:
  <ROLE>
          The role

  <REPOSITORY>
          The repository

Options:
  -k, --key <ID|FILE>
          New key of root or targets: an id, the first digits of one, or a key file to load; may be
          given several times [default: one that is made now]

      --cert <FILE>
          Certificate for a new root key, for this repository or a prefix of it; with --threshold
          also of a key that somebody else has; may be given several times [default: new ones]

      --threshold <N>
          How many keys of root or targets have to sign [default: as many as before]

  -r, --server-managed
          Leave the snapshot key to the server, which always has that of the timestamp

  -y, --yes
          Do not ask before the root key is rotated

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_signer_commands() {
    assert_data_eq!(
        own_part("signer add"),
        str![[r#"
Let a signer sign the tags of repositories

A repository without trust data is initialized first.

Usage: trust signer add [OPTIONS] <NAME> <REPOSITORY>...

Arguments:
  <NAME>
          Name of the signer

  <REPOSITORY>...
          Repositories to be signed

Options:
      --key <FILE>
          File with a public key of the signer; may be given several times

      --path <PREFIX>
          Only tags that begin with this; may be given several times [default: all tags]

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("signer remove"),
        str![[r#"
Remove a signer from repositories

What others signed stays signed.

Usage: trust signer remove [OPTIONS] <NAME> <REPOSITORY>...

Arguments:
  <NAME>
          Name of the signer

  <REPOSITORY>...
          Repositories to remove the signer from

Options:
  -f, --force
          Do not ask, even if no signature on the released tags is left

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_repository_commands() {
    assert_data_eq!(
        own_part("repo init"),
        str![[r#"
Begin a repository in which nothing is signed yet

Usage: trust repo init [OPTIONS] <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
      --root-key <ID|FILE>
          Root key: an id, the first digits of one, or a key file to load; may be given several
          times [default: a local root key, else a new one]

      --root-cert <FILE>
          Certificate for a root key, for this repository or a prefix of it; with --root-threshold
          also of a key that somebody else has; may be given several times [default: new ones]

      --root-threshold <N>
          How many of the root keys have to sign a root [default: 1]

      --server-managed-snapshot
          Let the server sign snapshots, as `docker trust` does; else this machine does, as `notary`

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("repo list"),
        str![[r#"
List the signed tags of a repository

Released tags, and who signed the same digest; or with --role what some roles say, released or not.

Usage: trust repo list [OPTIONS] <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
  -r, --role <ROLE>
          Only what this role itself signs, with or without targets/ in front; may be given several
          times

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("repo show"),
        str![[r#"
Show the roles of a repository: keys, thresholds, versions, expiries

Usage: trust repo show [OPTIONS] <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_what_keeps_repositories_in_force() {
    assert_data_eq!(
        own_part("repo renew"),
        str![[r#"
Sign again what expires soon, or has expired

Root, targets, delegations and a snapshot of your own, with the keys that are on this machine: one
publish a repository. Says which keys are missing for the rest, and exits with 1 then.

Usage: trust repo renew [OPTIONS] [REPOSITORY]...

Arguments:
  [REPOSITORY]...
          The repositories

Options:
      --all
          Every repository that this machine keeps

      --expiring-within <TIME>
          What expires within this time, such as 90d [default: 182d, when warnings begin]

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("repo delete"),
        str![[r#"
Forget what this machine keeps of a repository, and what its server does

Metadata and staged changes go; keys stay. So does the memory of the versions seen (.floor.json):
nothing older is accepted afterwards.

Usage: trust repo delete [OPTIONS] <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
      --remote
          Delete the trust data on the server, too: for everybody

  -y, --yes
          Do not ask before trust data on the server are deleted

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_image_commands() {
    assert_data_eq!(
        own_part("sign"),
        str![[r#"
Sign images

Signs what the registry serves for the tag. If the registry lacks the tag and the Docker engine has
it, or with --local, the image is pushed through the engine first. IMAGE:TAG@DIGEST signs exactly
that digest.

Usage: trust sign [OPTIONS] [IMAGE:TAG[@DIGEST]]...

Arguments:
  [IMAGE:TAG[@DIGEST]]...
          Images to sign

Options:
      --local
          Push the engine's image first, whatever the registry has

      --as <NAME>
          Sign with the keys of this signer only; a new repository begins with this signer

      --role <ROLE>
          Sign into this role only, such as targets/releases

      --custom <JSON>
          Data of your own to sign along with the digest

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

      --approve <FILE>
          Check what somebody requests in this file, sign it too, and publish it if nobody else has
          to

  -y, --yes
          Do not ask before a request is signed

      --stage
          Do not publish: put it on the list of changes, for `trust repo publish`; where others have
          to sign it too, write a request to PATH-TAG.request.json

      --size <BYTES>
          Size of the manifest that IMAGE:TAG@DIGEST names; then the registry is not asked

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("revoke"),
        str![[r#"
Take back the signatures on an image, or on all tags of a repository

Usage: trust revoke [OPTIONS] <IMAGE[:TAG]>

Arguments:
  <IMAGE[:TAG]>
          The image

Options:
  -y, --yes
          Do not ask before all tags are revoked

      --role <ROLE>
          Take the tag out of this role only, released or not; with or without targets/ in front

      --stage
          Only put it on the list of changes, for `trust repo publish`

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("inspect"),
        str![[r#"
Show who signed what in repositories

Prints the same JSON and the same tables as `docker trust inspect`.

Usage: trust inspect [OPTIONS] <IMAGE[:TAG]>...

Arguments:
  <IMAGE[:TAG]>...
          Repositories, or single tags of them

Options:
      --pretty
          Print tables for people

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_deciding_commands() {
    assert_data_eq!(
        own_part("verify"),
        str![[r#"
Check that images are signed

Prints NAME:TAG@DIGEST for each trusted image and says why the others are not. Exits with 1 if an
image is refused, else with 2 if a name is wrong, else with 3 if something could not be found out:
only 0 means that every image is trusted.

Usage: trust verify [OPTIONS] <IMAGE>...

Arguments:
  <IMAGE>...
          Images to check; tag latest if neither tag nor digest is named

Options:
      --policy <FILE>
          Policy [default: `$DOCKER_CONFIG/trust/policy.toml`, else /etc/trust/policy.toml]

      --signer <NAME>
          Only if this signer signed it, too; may be given several times

      --threshold <N>
          Only if so many signers with keys of their own signed it; of those named, if any are

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("pull"),
        str![[r#"
Pull images that are signed

The Docker engine pulls exactly the digest that is signed, then gives it the tag. What is not signed
is not pulled.

Usage: trust pull [OPTIONS] <IMAGE>...

Arguments:
  <IMAGE>...
          Images to pull; tag latest if neither tag nor digest is named

Options:
      --policy <FILE>
          Policy [default: `$DOCKER_CONFIG/trust/policy.toml`, else /etc/trust/policy.toml]

  -a, --all-tags
          Pull all signed tags of the repository

      --platform <OS/ARCH>
          Pull the image for this platform from a multi-platform image

      --disable-content-trust[=<BOOL>]
          Pull whatever the registry serves, signed or not
          
          [possible values: true, false]

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("why"),
        str![[r#"
Explain the decision on an image, step by step

Usage: trust why [OPTIONS] <IMAGE>

Arguments:
  <IMAGE>
          The image; tag latest if neither tag nor digest is named

Options:
      --policy <FILE>
          Policy [default: `$DOCKER_CONFIG/trust/policy.toml`, else /etc/trust/policy.toml]

      --signer <NAME>
          Only if this signer signed it, too; may be given several times

      --threshold <N>
          Only if so many signers with keys of their own signed it; of those named, if any are

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_hook_commands() {
    assert_data_eq!(
        own_part("hook"),
        str![[r#"
Wire a gate into an engine, and undo it

Usage: trust hook [OPTIONS] <COMMAND>

Commands:
  install  Have an engine ask the gate for every image
  remove   Put back what was there before a hook
  status   Show which hooks are installed, and whether they are still whole
  prove    Pull a signed and an unsigned image through an engine, and say what came of each
  help     Print this message or the help of the given subcommand(s)

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("hook install docker"),
        str![[r#"
Have the Docker Engine ask the gate

By the authorization plugin, and by the proxy where the engine keeps images in containerd's store:
one with a graph driver does not read hosts.toml. The gates are started by systemd where that is
there.

Usage: trust hook install docker [OPTIONS]

Options:
      --root <DIR>
          Folder in which the host's files are, for hosts that are not running
          
          [default: /]

      --state-dir <DIR>
          Folder for what was there before [default: /var/lib/trust; for shells
          `$XDG_DATA_HOME/trust`]

      --dry-run
          Show what would be changed, and change nothing

  -y, --yes
          Do not ask

      --now
          Run the commands that make it take effect

      --prove <SIGNED> <UNSIGNED>
          Pull a signed and an unsigned image through the engine, and say what came of each

      --program <FILE>
          Path of this program on that host [default: where it is running from]

      --authz
          Ask the authorization plugin; without --proxy, nothing else

      --proxy [<URL>]
          Have the gate's proxy answer for every registry; without --authz, nothing else [default
          URL: `http://127.0.0.1:8443`, with --gate-ca https]

      --socket <FILE>
          Socket of the authorization plugin
          
          [default: /run/docker/plugins/trust.sock]

      --policy <FILE>
          Policy of the gates
          
          [default: /etc/trust/policy.toml]

      --no-units
          Write no units for systemd

      --config <FILE>
          Configuration of dockerd
          
          [default: /etc/docker/daemon.json]

      --certs-dir <DIR>
          Folder of the registries' settings
          
          [default: /etc/docker/certs.d]

      --engine-version <N>
          Major version of dockerd [default: what it says itself]

  -h, --help
          Print help (see a summary with '-h')

Gate:
      --gate-ca <FILE>
          Authority of the proxy's certificate

      --client-cert <FILE>
          Certificate that the engine shows the proxy

      --client-key <FILE>
          Key of that certificate

      --client-secret-file <FILE>
          Show the proxy the first line of this file in the header `X-Trust-Gate-Secret`

      --tls-cert <FILE>
          Certificate of a proxy that is started on this machine

      --tls-key <FILE>
          Key of that certificate

      --client-ca <FILE>
          Authorities of the engines' certificates, for a proxy that is started on this machine

"#]]
        .raw()
    );
}

#[test]
fn of_commands_about_hooks() {
    assert_data_eq!(
        own_part("hook remove"),
        str![[r#"
Put back what was there before a hook

Files that somebody else changed since lose only what the hook put there.

Usage: trust hook remove [OPTIONS] <ENGINE>

Arguments:
  <ENGINE>
          Whose hook

          Possible values:
          - docker:     The Docker Engine
          - containerd: containerd and the Kubernetes interface in it
          - podman:     Podman, Buildah, skopeo and CRI-O
          - shell:      The docker command of people's shells

Options:
      --root <DIR>
          Folder in which the host's files are, for hosts that are not running
          
          [default: /]

      --state-dir <DIR>
          Folder for what was there before [default: /var/lib/trust; for shells
          `$XDG_DATA_HOME/trust`]

      --dry-run
          Show what would be changed, and change nothing

  -y, --yes
          Do not ask

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("hook status"),
        str![[r#"
Show which hooks are installed, and whether they are still whole

Exits with 1 if a hook is not as it was installed.

Usage: trust hook status [OPTIONS] [ENGINE]

Arguments:
  [ENGINE]
          Whose hook [default: all]

          Possible values:
          - docker:     The Docker Engine
          - containerd: containerd and the Kubernetes interface in it
          - podman:     Podman, Buildah, skopeo and CRI-O
          - shell:      The docker command of people's shells

Options:
      --root <DIR>
          Folder in which the host's files are, for hosts that are not running
          
          [default: /]

      --state-dir <DIR>
          Folder for what was there before [default: /var/lib/trust; for shells
          `$XDG_DATA_HOME/trust`]

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("hook prove"),
        str![[r#"
Pull a signed and an unsigned image through an engine, and say what came of each

Exits with 1 if the unsigned one came through, with 3 if nothing is proven.

Usage: trust hook prove [OPTIONS] <ENGINE> <SIGNED> <UNSIGNED>

Arguments:
  <ENGINE>
          Through which engine

          Possible values:
          - docker:     The Docker Engine
          - containerd: containerd and the Kubernetes interface in it
          - podman:     Podman, Buildah, skopeo and CRI-O
          - shell:      The docker command of people's shells

  <SIGNED>
          An image that is signed

  <UNSIGNED>
          An image that is not

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("doctor"),
        str![[r#"
Say what on this host is not enforced, and how to mend it

[WARN]: images get by, or soon nothing works. [NOTE]: what cannot be seen from here. [INFO]: nothing
to check. Nothing is changed.

Usage: trust doctor [OPTIONS]

Options:
      --root <DIR>
          Folder in which the host's files are, for hosts that are not running
          
          [default: /]

      --strict
          Exit with 1 if there is a warning

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_commands_about_people() {
    assert_data_eq!(
        own_part("signer replace"),
        str![[r#"
Give a signer new keys in the place of the old ones

What the signer signed is signed again with the new key, so that it stays signed.

Usage: trust signer replace [OPTIONS] --key <FILE> <NAME> <REPOSITORY>...

Arguments:
  <NAME>
          Name of the signer

  <REPOSITORY>...
          Repositories the signer signs

Options:
      --key <FILE>
          File with a new public key of the signer; may be given several times

  -f, --force
          Go on even if signatures are lost because the new private key is elsewhere

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_delegation_commands() {
    assert_data_eq!(
        own_part("delegation add"),
        str![[r#"
Let keys sign tags in a role, which begins if it is new

The keys of the role above it sign this: those of targets for targets/NAME.

Usage: trust delegation add [OPTIONS] <REPOSITORY> <ROLE> [KEYFILE]...

Arguments:
  <REPOSITORY>
          The repository

  <ROLE>
          The role, with or without targets/ in front

  [KEYFILE]...
          Files with public keys

Options:
      --path <PREFIX>
          Tags that begin with this; may be given several times

      --all-paths
          All tags that the role above it may sign

      --threshold <N>
          How many keys have to sign [default for a new role: 1]

      --stage
          Only put it on the list of changes, for `trust repo publish`

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("delegation remove"),
        str![[r#"
Take keys or paths from a role, or remove it and everything below it

Without keys and paths the role goes. What its other keys signed stays signed.

Usage: trust delegation remove [OPTIONS] <REPOSITORY> <ROLE> [KEYID]...

Arguments:
  <REPOSITORY>
          The repository

  <ROLE>
          The role, with or without targets/ in front

  [KEYID]...
          Ids of keys, as `trust delegation list` shows them; their beginnings will do

Options:
      --path <PREFIX>
          Tags that begin with this; may be given several times

      --all-paths
          All paths, so that it may sign nothing

  -y, --yes
          Do not ask before the role is removed

      --stage
          Only put it on the list of changes, for `trust repo publish`

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("delegation list"),
        str![[r#"
List the roles below targets: paths, keys, thresholds

Usage: trust delegation list [OPTIONS] <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("delegation purge"),
        str![[r#"
Take keys out of every role below targets, as far as keys here can sign that

Usage: trust delegation purge [OPTIONS] --key <ID> <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
      --key <ID>
          Id of a key, 64 hex digits; may be given several times

      --stage
          Only put it on the list of changes, for `trust repo publish`

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn of_witnessing_and_staged_changes() {
    assert_data_eq!(
        own_part("witness"),
        str![[r#"
Sign roles again as they are

For roles that have lost their valid signatures, as when a key was taken from them. What such a role
says is shown: whoever witnesses it vouches for it.

Usage: trust witness [OPTIONS] <REPOSITORY> <ROLE>...

Arguments:
  <REPOSITORY>
          The repository

  <ROLE>...
          Roles, with or without targets/ in front

Options:
      --stage
          Only put it on the list of changes, for `trust repo publish`

      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("repo status"),
        str![[r#"
List the changes that are staged and not yet published

`notary` stages changes in the same list.

Usage: trust repo status [OPTIONS] <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("repo publish"),
        str![[r#"
Publish the staged changes, all in one publish

If one of them cannot be made, nothing is published and all stay on the list.

Usage: trust repo publish [OPTIONS] <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
      --request <FILE>
          Do not publish: write the change to FILE, signed with the keys at hand, for others to sign
          with `trust sign --approve FILE`

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
    assert_data_eq!(
        own_part("repo reset"),
        str![[r#"
Take changes off the list of staged ones

Usage: trust repo reset [OPTIONS] <REPOSITORY>

Arguments:
  <REPOSITORY>
          The repository

Options:
  -n, --number <INDEX>
          Numbers of changes, as `trust repo status` shows them

      --all
          All changes

  -h, --help
          Print help (see a summary with '-h')

"#]]
        .raw()
    );
}

#[test]
fn without_a_command_it_is_an_error() {
    for line in ["", "key", "signer", "repo", "delegation"] {
        let ran = Home::new().trust(line).ends(2);
        assert_eq!(ran.stdout, "");
        assert!(ran.stderr.contains("Usage: trust"), "{}", ran.stderr);
    }
}

#[test]
fn the_version_is_a_result() {
    let version = Home::new().trust("--version").ends(0).stdout;
    assert_eq!(version, format!("trust {}\n", env!("CARGO_PKG_VERSION")));
}

/// The long help of a command without the options that every command has.
fn own_part(command: &str) -> String {
    let help = Home::new()
        .trust(&format!("{command} --help"))
        .ends(0)
        .stdout;
    let (own, _) = help.split_once("\nGlobal options:").unwrap();
    own.to_owned()
}
