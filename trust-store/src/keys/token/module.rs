//! PKCS#11 modules: libraries, loaded when a person names them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};

use super::TokenError;

/// A library that speaks for tokens.
#[derive(Clone, Debug)]
pub(super) struct Module {
    pub(super) path: PathBuf,
    pub(super) context: Pkcs11,
}

impl Module {
    /// Loads the library in this file; the loader's own search path is not used.
    pub(super) fn load(path: &Path) -> Result<Self, TokenError> {
        let fault = |reason: String| TokenError::Module {
            path: path.to_owned(),
            reason,
        };
        let file = fs::canonicalize(path).map_err(|error| fault(error.to_string()))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let context = match loaded.get(&file) {
            Some(context) => context.clone(),
            None => start(&file).map_err(|error| fault(words(&error)))?,
        };
        loaded.insert(file, context.clone());
        let path = path.to_owned();
        Ok(Self { path, context })
    }
}

fn start(file: &Path) -> Result<Pkcs11, Error> {
    let context = Pkcs11::new(file)?;
    match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(context),
        Err(error) => Err(error),
    }
}

/// What a module answered, in a few words: the standard's name of the fault.
pub(super) fn words(error: &Error) -> String {
    match error {
        Error::Pkcs11(answer, function) => format!("C_{function:?} answered {answer:?}"),
        Error::LibraryLoading(_) => "it is no library that can be loaded".to_owned(),
        Error::MissingSymbol(_) => "it is no PKCS#11 library".to_owned(),
        other => other.to_string(),
    }
}

/// A module has one state in a process (PKCS#11, 5.4), whoever loads it, and stays to its end.
static LOADED: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());
