//! A token in its slot: sessions with it, and what its answers mean.

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use super::module::words;
use super::{TokenError, TokenName, Tries};
use crate::keys::passphrase::Passphrase;

/// A token that was in this slot a moment ago.
#[derive(Clone, Debug)]
pub(super) struct Present {
    pub(super) context: Pkcs11,
    pub(super) slot: Slot,
    pub(super) name: TokenName,
}

impl Present {
    /// The token in this slot, if there is one that has been initialized.
    pub(super) fn look(context: &Pkcs11, slot: Slot) -> Result<Option<Self>, Error> {
        let info = match context.get_token_info(slot) {
            Ok(info) => info,
            Err(Error::Pkcs11(answer, _)) if is_absence(answer) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(info.token_initialized().then(|| Self {
            context: context.clone(),
            slot,
            name: name_of(&info),
        }))
    }

    /// A session in which public objects can be read.
    pub(super) fn session(&self) -> Result<Session, TokenError> {
        let opened = self.context.open_ro_session(self.slot);
        opened.map_err(|error| self.fault("open a session", &error))
    }

    /// A session in which private keys can be used; those of one token share their login.
    pub(super) fn logged_in(
        &self,
        writing: bool,
        pin: Option<&Passphrase>,
    ) -> Result<Session, TokenError> {
        let opened = if writing {
            self.context.open_rw_session(self.slot)
        } else {
            self.context.open_ro_session(self.slot)
        };
        let session = opened.map_err(|error| self.fault("open a session", &error))?;
        let state = session.get_session_info().map(|info| info.session_state());
        let state = state.map_err(|error| self.fault("open a session", &error))?;
        if matches!(state, SessionState::RoUser | SessionState::RwUser) {
            return Ok(session);
        }
        let info = self.info()?;
        if !info.login_required() {
            return Ok(session);
        }
        let token = || self.name.clone();
        if info.user_pin_locked() {
            return Err(TokenError::Locked { token: token() });
        }
        let Some(pin) = pin else {
            return Err(TokenError::PinNeeded {
                token: token(),
                tries: tries(&info),
            });
        };
        match session.login(UserType::User, Some(&secret(pin))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(Error::Pkcs11(answer, _)) if is_wrong_pin(answer) => Err(self.after_wrong_pin()),
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(TokenError::Locked { token: token() }),
            Err(error) => Err(self.fault("be opened with its PIN", &error)),
        }
    }

    /// What it means that the token answered so: it says no, or it is not there any more.
    pub(super) fn fault(&self, doing: &'static str, error: &Error) -> TokenError {
        let absent = matches!(error, Error::Pkcs11(answer, _) if is_absence(*answer));
        let token = self.name.clone();
        if absent || !self.is_here() {
            return TokenError::Gone { token, doing };
        }
        let reason = words(error);
        TokenError::Failed {
            token,
            doing,
            reason,
        }
    }

    fn after_wrong_pin(&self) -> TokenError {
        let token = self.name.clone();
        match self.info() {
            Ok(info) if info.user_pin_locked() => TokenError::Locked { token },
            info => TokenError::WrongPin {
                token,
                tries: info.as_ref().map(tries).unwrap_or_default(),
            },
        }
    }

    fn is_here(&self) -> bool {
        let info = self.context.get_token_info(self.slot);
        info.is_ok_and(|info| name_of(&info) == self.name)
    }

    fn info(&self) -> Result<TokenInfo, TokenError> {
        let info = self.context.get_token_info(self.slot);
        info.map_err(|error| self.fault("describe itself", &error))
    }
}

fn name_of(info: &TokenInfo) -> TokenName {
    TokenName {
        label: info.label().to_owned(),
        serial: info.serial_number().to_owned(),
    }
}

fn tries(info: &TokenInfo) -> Tries {
    match (info.user_pin_final_try(), info.user_pin_count_low()) {
        (true, _) => Tries::Last,
        (false, true) => Tries::Low,
        (false, false) => Tries::Unsaid,
    }
}

/// The PIN for the length of one call; wiped when it is dropped.
fn secret(pin: &Passphrase) -> AuthPin {
    AuthPin::from(String::from_utf8_lossy(pin.as_bytes()).as_ref())
}

fn is_wrong_pin(answer: RvError) -> bool {
    use RvError::{PinIncorrect, PinInvalid, PinLenRange};
    matches!(answer, PinIncorrect | PinInvalid | PinLenRange)
}

/// What modules answer once the token has been pulled out.
fn is_absence(answer: RvError) -> bool {
    matches!(
        answer,
        RvError::DeviceRemoved
            | RvError::SessionClosed
            | RvError::SessionHandleInvalid
            | RvError::SlotIdInvalid
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
    )
}
