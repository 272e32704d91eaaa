//! Which server a command is about: its folder, its configuration, its store.

use crate::cli::{failure::Failure, session::Session};
use std::path::{Path, PathBuf};
use trust::config::passphrase_from_file;
use trust::server::settings::Settings;
use trust_store::keys::Passphrase;
use trust_store::server::{SealSource, Sealer, Store};

/// What every server command can be told.
#[derive(clap::Args, Clone)]
pub(super) struct Place {
    /// Folder of the server [default: `$XDG_DATA_HOME/trust-server`, else `~/.local/share/trust-server`]
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
    /// Configuration, ours or notary-server's [default: `server.toml` in the folder]
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    pub(super) config: Option<PathBuf>,
    /// Store: `sqlite:PATH` or `postgres://USER@HOST/DATABASE` [default: `store.db` in the folder]
    #[arg(long, value_name = "URL")]
    pub(super) store: Option<String>,
}

/// A server on this machine.
pub(super) struct Site {
    /// Where its files are
    pub(super) dir: PathBuf,
    /// How it is configured
    pub(super) settings: Settings,
}

impl Site {
    /// Reads the configuration, if there is one.
    pub(super) fn find(args: &Place, session: &Session) -> Result<Self, Failure> {
        let dir = folder(args, session)?;
        let usual = dir.join("server.toml");
        let file = match &args.config {
            Some(file) => Some(file.clone()),
            None => usual.exists().then_some(usual),
        };
        let mut settings = match file {
            Some(file) => read(&file, session)?,
            None => Settings::in_folder(&dir),
        };
        if let Some(url) = &args.store {
            settings.store.url.clone_from(url);
        }
        Ok(Self { dir, settings })
    }

    /// The store, made if it is not there.
    pub(super) async fn store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.settings.store.url).await?)
    }

    /// The store, if it is there.
    pub(super) async fn existing_store(&self) -> Result<Store, Failure> {
        let url = &self.settings.store.url;
        if let Some(path) = url.strip_prefix("sqlite:")
            && !Path::new(path).is_file()
        {
            let words = format!("there is no store at {path}");
            return Err(Failure::wrong(words)
                .hint("name the server's folder with --dir, or the store with --store"));
        }
        self.store().await
    }

    /// What opens the online keys.
    pub(super) async fn sealer(&self, store: &Store, session: &Session) -> Result<Sealer, Failure> {
        Ok(Sealer::open(store, self.seal(session)?).await?)
    }

    /// Where the secret of the online keys comes from.
    pub(super) fn seal(&self, session: &Session) -> Result<SealSource, Failure> {
        let (seal, environment) = (&self.settings.seal, &session.environment);
        if let Some(file) = &seal.passphrase_file {
            return passphrase_in(file);
        }
        if let Some(file) = &seal.key_file {
            return Ok(SealSource::KeyFile(file.clone()));
        }
        if let Some(passphrase) = &environment.server_passphrase {
            return Ok(SealSource::Passphrase(Passphrase::new(passphrase.clone())));
        }
        if let Some(file) = &environment.server_passphrase_file {
            return passphrase_in(file);
        }
        Ok(SealSource::KeyFile(self.dir.join("seal.key")))
    }
}

fn passphrase_in(file: &Path) -> Result<SealSource, Failure> {
    let passphrase = passphrase_from_file(file)?;
    Ok(SealSource::Passphrase(Passphrase::new(passphrase)))
}

fn folder(args: &Place, session: &Session) -> Result<PathBuf, Failure> {
    if let Some(dir) = &args.dir {
        return Ok(dir.clone());
    }
    if let Some(config) = &args.config {
        let folder = config
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        return Ok(folder.unwrap_or(Path::new(".")).to_owned());
    }
    let environment = &session.environment;
    let data = environment.data_home.clone().or_else(|| {
        let home = environment.home.as_ref();
        home.map(|home| home.join(".local/share"))
    });
    data.map(|data| data.join("trust-server")).ok_or_else(|| {
        Failure::wrong("neither XDG_DATA_HOME nor HOME is set")
            .hint("name the server's folder with --dir")
    })
}

fn read(file: &Path, session: &Session) -> Result<Settings, Failure> {
    let (settings, warnings) = Settings::read(file, &session.environment.notary_server)
        .map_err(|error| Failure::wrong(error.to_string()))?;
    for warning in warnings {
        session.out.warn(&warning);
    }
    Ok(settings)
}
