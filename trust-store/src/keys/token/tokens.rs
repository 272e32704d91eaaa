//! All tokens behind the modules that a person named.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::error::Error;

use super::module::{Module, words};
use super::objects::{keys, private_half};
use super::present::Present;
use super::signer::TokenSigner;
use super::{TokenAlgorithm, TokenError, TokenKey, making};
use crate::keys::error::KeyError;
use crate::keys::passphrase::Passphrase;
use crate::keys::private::{PrivateKey, Secret};
use crate::keys::store::StoredKey;

/// The tokens of these modules; without modules there are none.
///
/// Their keys are listed once: one that is pulled out afterwards is missed when it is to sign.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    modules: Vec<Module>,
    listed: Arc<Mutex<Option<Vec<StoredKey>>>>,
}

impl Tokens {
    /// Loads PKCS#11 modules, which are code that runs in this process.
    ///
    /// # Errors
    /// [`TokenError::Module`] for a file that is not there or no such module.
    pub fn load(modules: &[impl AsRef<Path>]) -> Result<Self, KeyError> {
        let modules = modules.iter().map(|path| Module::load(path.as_ref()));
        Ok(Self {
            modules: modules.collect::<Result<_, _>>()?,
            listed: Arc::default(),
        })
    }

    /// An error if a module shows no token: the key that is missed may be on one.
    pub fn all_here(&self) -> Result<(), KeyError> {
        for module in &self.modules {
            if tokens_of(module)?.is_empty() {
                let path = module.path.clone();
                return Err(TokenError::NoToken { path }.into());
            }
        }
        Ok(())
    }

    /// The keys on all tokens.
    pub(in crate::keys) fn keys(&self) -> Result<Vec<StoredKey>, KeyError> {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(listed) = &*listed {
            return Ok(listed.clone());
        }
        let mut found = Vec::new();
        for token in self.present()? {
            found.extend(keys(&token)?);
        }
        *listed = Some(found.clone());
        Ok(found)
    }

    /// Opens a key; no PIN is needed where another key of its token is open.
    pub(in crate::keys) fn open(
        &self,
        key: &TokenKey,
        pin: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        let here = self.present()?;
        let Some(token) = here.into_iter().find(|token| token.name == key.token) else {
            let (token, doing) = (key.token.clone(), "be opened");
            return Err(TokenError::Gone { token, doing }.into());
        };
        let session = token.logged_in(false, pin)?;
        let found = private_half(&session, &key.public, &key.object);
        let found = found.map_err(|error| token.fault("look for the key", &error))?;
        let missing = || TokenError::NoPrivateHalf {
            token: token.name.clone(),
            id: key.public.id(),
        };
        let handle = found.ok_or_else(missing)?;
        let signer = TokenSigner {
            token,
            session: Mutex::new(session),
            key: handle,
        };
        Ok(PrivateKey::on_token(signer, key.public.clone()))
    }

    /// Makes a key on the token that this word means.
    pub(in crate::keys) fn generate(
        &self,
        word: &str,
        algorithm: TokenAlgorithm,
        name: &str,
        pin: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        let token = self.called(word)?;
        let session = token.logged_in(true, pin)?;
        self.forget();
        let (public, key) = making::generate(&token, &session, algorithm, name)?;
        let signer = TokenSigner {
            token,
            session: Mutex::new(session),
            key,
        };
        Ok(PrivateKey::on_token(signer, public))
    }

    /// Puts a key on the token that this word means.
    pub(in crate::keys) fn add(
        &self,
        word: &str,
        key: &PrivateKey,
        name: &str,
        pin: Option<&Passphrase>,
    ) -> Result<PrivateKey, KeyError> {
        if let Secret::Token(_) = key.secret {
            return Err(KeyError::OnToken {
                id: key.id().to_owned(),
            });
        }
        let token = self.called(word)?;
        let session = token.logged_in(true, pin)?;
        self.forget();
        let handle = making::load(&token, &session, key, name)?;
        let signer = TokenSigner {
            token,
            session: Mutex::new(session),
            key: handle,
        };
        Ok(PrivateKey::on_token(signer, key.public().clone()))
    }

    fn forget(&self) {
        *self.listed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn called(&self, word: &str) -> Result<Present, TokenError> {
        let here = self.present()?;
        let others = here.iter().map(|token| token.name.to_string()).collect();
        let mut meant = here.into_iter().filter(|it| it.name.is_called(word));
        let word = word.to_owned();
        match (meant.next(), meant.next()) {
            (Some(token), None) => Ok(token),
            (Some(first), Some(second)) => Err(TokenError::Ambiguous {
                word,
                serials: [first, second]
                    .into_iter()
                    .chain(meant)
                    .map(|token| token.name.serial)
                    .collect(),
            }),
            (None, _) => Err(TokenError::NotHere { word, others }),
        }
    }

    fn present(&self) -> Result<Vec<Present>, TokenError> {
        let mut found = Vec::new();
        for module in &self.modules {
            found.extend(tokens_of(module)?);
        }
        Ok(found)
    }
}

fn tokens_of(module: &Module) -> Result<Vec<Present>, TokenError> {
    let look = || -> Result<Vec<Present>, Error> {
        let slots = module.context.get_slots_with_token()?;
        let tokens = slots.into_iter().take(MAX_SLOTS);
        let tokens = tokens.map(|slot| Present::look(&module.context, slot));
        tokens.filter_map(Result::transpose).collect()
    };
    look().map_err(|error| TokenError::Module {
        path: module.path.clone(),
        reason: words(&error),
    })
}

/// More than any machine has.
const MAX_SLOTS: usize = 256;
