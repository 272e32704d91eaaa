//! The only place that asks: for passphrases, and whether to go on.

use super::{failure::Failure, pins::Pins, session::Session};
use rpassword::ConfigBuilder;
use std::{
    collections::HashMap,
    io::{self, BufRead, IsTerminal, Read},
};
use trust::{
    config::passphrase_from_file,
    repository::keyring::{KeyName, KeyringError, PassphraseError, Passphrases},
};
use trust_store::keys::{Passphrase, TokenName, Tries};
use zeroize::Zeroizing;

type Secret = Zeroizing<String>;

/// Passphrases from a file, the environment or the person at the terminal.
pub(crate) struct Prompt<'s> {
    session: &'s Session,
    from_file: Option<Secret>,
    /// The last passphrase entered for each role
    entered: HashMap<String, Secret>,
    /// The key asked for last, and how
    asked: Option<Asked>,
    /// What was given for tokens
    pins: Pins,
    /// PINs asked for, by the token's serial number
    pin_prompts: HashMap<String, u32>,
}

struct Asked {
    id: String,
    prompts: u32,
    how: How,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// Given in advance: there is no other to try
    Given,
    /// One that was entered before, tried without a word
    Again,
    /// Entered for this key
    Prompted,
}

impl<'s> Prompt<'s> {
    /// Asks only when a passphrase is first needed.
    pub(crate) fn new(session: &'s Session) -> Self {
        Self {
            session,
            from_file: None,
            entered: HashMap::new(),
            asked: None,
            pins: Pins::default(),
            pin_prompts: HashMap::new(),
        }
    }

    /// What was given in advance for keys of this role.
    fn given(&mut self, role: &str) -> Result<Option<Secret>, PassphraseError> {
        let unusable =
            |error: trust::config::ConfigError| PassphraseError::Unusable(error.to_string());
        if let Some(path) = &self.session.globals.passphrase_file {
            if self.from_file.is_none() {
                self.from_file = Some(passphrase_from_file(path).map_err(unusable)?);
            }
            return Ok(self.from_file.clone());
        }
        let environment = &self.session.environment;
        match role {
            "root" => environment.root_passphrase(),
            _ => environment.repository_passphrase(),
        }
        .map_err(unusable)
    }

    fn read(&self, question: &str) -> Result<Secret, PassphraseError> {
        self.session.interrupt.hold();
        self.session.out.ask(question);
        let config = ConfigBuilder::new().output_writer(io::stderr()).build();
        match rpassword::read_password_with_config(config) {
            Ok(line) => Ok(Zeroizing::new(Zeroizing::new(line).trim().to_owned())),
            Err(error) => Err(PassphraseError::Unusable(format!(
                "no passphrase was entered: {error}"
            ))),
        }
    }

    fn prompts_for(&self, id: &str) -> u32 {
        let asked = self.asked.as_ref().filter(|asked| asked.id == id);
        asked.map_or(0, |asked| asked.prompts)
    }

    fn asked(&mut self, id: &str, prompts: u32, how: How) {
        let id = id.to_owned();
        self.asked = Some(Asked { id, prompts, how });
    }

    fn enter_new(&self, key: &KeyName<'_>) -> Result<Secret, PassphraseError> {
        if key.role == "root" {
            self.session.out.complain(NEW_ROOT_KEY);
        }
        self.enter_twice(&format!("passphrase for new {}", described(key)), TOO_SHORT)
    }

    fn enter_twice(&self, name: &str, too_short: &str) -> Result<Secret, PassphraseError> {
        let out = &self.session.out;
        for _ in 0..TRIES_NEW {
            let first = self.read(&format!("Enter {name}: "))?;
            if first.chars().count() < SHORTEST {
                out.complain(too_short);
            } else if *self.read(&format!("Repeat {name}: "))? == *first {
                return Ok(first);
            } else {
                out.complain("Passphrases do not match. Please retry.");
            }
        }
        Err(PassphraseError::TooManyTries)
    }
}

impl Passphrases for Prompt<'_> {
    fn existing(&mut self, key: &KeyName<'_>) -> Result<Passphrase, PassphraseError> {
        if let Some(given) = self.given(key.role)? {
            self.asked(key.id, 0, How::Given);
            return Ok(Passphrase::new(given));
        }
        if !io::stdin().is_terminal() {
            return Err(nowhere(key));
        }
        let first = self.asked.as_ref().is_none_or(|asked| asked.id != key.id);
        if let Some(again) = self.entered.get(key.role).filter(|_| first) {
            let again = again.clone();
            self.asked(key.id, 0, How::Again);
            return Ok(Passphrase::new(again));
        }
        let prompts = self.prompts_for(key.id) + 1;
        let entered = self.read(&format!("Enter passphrase for {}: ", described(key)))?;
        self.asked(key.id, prompts, How::Prompted);
        self.entered.insert(key.role.to_owned(), entered.clone());
        Ok(Passphrase::new(entered))
    }

    fn fresh(&mut self, key: &KeyName<'_>) -> Result<Passphrase, PassphraseError> {
        if let Some(given) = self.given(key.role)? {
            return Ok(Passphrase::new(given));
        }
        if !io::stdin().is_terminal() {
            return Err(nowhere(key));
        }
        // One passphrase for several new keys of a role, as Docker does it.
        let entered = match self.entered.get(key.role) {
            Some(entered) if entered.chars().count() >= SHORTEST => entered.clone(),
            _ => self.enter_new(key)?,
        };
        self.entered.insert(key.role.to_owned(), entered.clone());
        Ok(Passphrase::new(entered))
    }

    fn wrong(&mut self, key: &KeyName<'_>) -> bool {
        let how = self.asked.as_ref().map_or(How::Given, |asked| asked.how);
        match how {
            How::Again => true,
            How::Prompted if self.prompts_for(key.id) < TRIES_EXISTING => {
                self.session
                    .out
                    .complain("Passphrase incorrect. Please retry.");
                true
            }
            How::Given | How::Prompted => false,
        }
    }

    fn pin(&mut self, token: &TokenName, tries: Tries) -> Result<Passphrase, PassphraseError> {
        if let Some(given) = self.pins.given(token, self.session)? {
            return Ok(Passphrase::new(given));
        }
        if !io::stdin().is_terminal() {
            return Err(PassphraseError::NoPin {
                token: token.to_string(),
                hint: PIN_PLACES.to_owned(),
            });
        }
        *self.pin_prompts.entry(token.serial.clone()).or_default() += 1;
        match tries {
            Tries::Last => self.session.out.complain(LAST_TRY),
            Tries::Low => self.session.out.complain(FEW_TRIES),
            Tries::Unsaid => {}
        }
        let entered = self.read(&format!("Enter PIN for token {token}: "))?;
        Ok(Passphrase::new(entered))
    }

    fn wrong_pin(&mut self, token: &TokenName) -> bool {
        let prompts = self.pin_prompts.get(&token.serial).copied().unwrap_or(0);
        let again = !self.pins.refused(token) && prompts < TRIES_PIN;
        if again {
            self.session.out.complain("PIN incorrect. Please retry.");
        }
        again
    }
}

impl Session {
    /// A new secret that is no key's; `flag` names its file where nobody can be asked.
    pub(crate) fn new_secret(&self, name: &str, flag: &str) -> Result<Secret, Failure> {
        if !io::stdin().is_terminal() {
            let nobody = Failure::wrong(format!("there is no {name}, and nobody to ask"));
            return Err(nobody.hint(format!("name a file with {flag}")));
        }
        let entered = Prompt::new(self).enter_twice(name, TOO_SHORT_SECRET);
        entered.map_err(|error| KeyringError::from(error).into())
    }

    /// Another passphrase for this key; `flag` names its file where nobody can be asked.
    pub(crate) fn new_passphrase(
        &self,
        key: &KeyName<'_>,
        flag: &str,
    ) -> Result<Passphrase, Failure> {
        if !io::stdin().is_terminal() {
            let words = "there is no new passphrase, and nobody to ask";
            return Err(Failure::wrong(words).hint(format!("name a file with {flag}")));
        }
        let entered = Prompt::new(self).enter_new(key);
        let entered = entered.map_err(|error| Failure::from(KeyringError::from(error)))?;
        Ok(Passphrase::new(entered))
    }

    /// The passphrase of a backup of keys; a new one is entered twice.
    pub(crate) fn backup_passphrase(&self, new: bool) -> Result<Passphrase, Failure> {
        let given = match &self.globals.passphrase_file {
            Some(file) => Some(passphrase_from_file(file)?),
            None => self.environment.backup_passphrase()?,
        };
        if let Some(given) = given {
            return Ok(Passphrase::new(given));
        }
        if !io::stdin().is_terminal() {
            let words = format!("there is no {BACKUP}, and nobody to ask");
            return Err(Failure::wrong(words).hint(
                "set TRUST_BACKUP_PASSPHRASE, or name a file with TRUST_BACKUP_PASSPHRASE_FILE or \
                 --passphrase-file",
            ));
        }
        let prompt = Prompt::new(self);
        let entered = if new {
            prompt.enter_twice(BACKUP, TOO_SHORT_SECRET)
        } else {
            prompt.read(&format!("Enter {BACKUP}: "))
        };
        let entered = entered.map_err(|error| Failure::from(KeyringError::from(error)))?;
        Ok(Passphrase::new(entered))
    }

    /// Whether the person says yes; `flag` is what says it where nobody can be asked.
    pub(crate) fn confirm(&self, question: &str, flag: &str) -> Result<bool, Failure> {
        self.out.ask(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = io::stdin()
            .lock()
            .take(LONGEST_ANSWER)
            .read_line(&mut answer);
        if answer.is_empty() {
            self.out.complain("");
        }
        if read.is_err() || (answer.is_empty() && !io::stdin().is_terminal()) {
            let nobody = Failure::wrong("this needs a yes, and there is nobody to ask");
            return Err(nobody.hint(format!("say it beforehand with {flag}")));
        }
        let yes = ["y", "yes"].map(|yes| answer.trim().eq_ignore_ascii_case(yes));
        Ok(yes.contains(&true))
    }
}

/// The key as prompts name it.
fn described(key: &KeyName<'_>) -> String {
    let name = match key.role {
        "targets" | "snapshot" | "default" => "repository",
        role => role,
    };
    match key.id.get(..ID_DIGITS) {
        Some(id) => format!("{name} key with ID {id}"),
        None => format!("{name} key"),
    }
}

fn nowhere(key: &KeyName<'_>) -> PassphraseError {
    let variable = match key.role {
        "root" => "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE",
        _ => "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE",
    };
    let name = described(key);
    let key = name.split(" key").next().unwrap_or_default().to_owned();
    let hint = format!("set {variable}, or name a file with {variable}_FILE or --passphrase-file");
    PassphraseError::Nowhere { key, hint }
}

const NEW_ROOT_KEY: &str = "\
You are about to create a new root signing key passphrase. This passphrase
will be used to protect the most sensitive key in your signing system. Please
choose a long, complex passphrase and be careful to keep the password and the
key file itself secure and backed up. It is highly recommended that you use a
password manager to generate the passphrase and keep it safe. There will be no
way to recover this key. You can find the key in your config directory.";
const TOO_SHORT: &str = "Passphrase is too short. Please use a password manager to generate and \
     store a good random passphrase.";
const TOO_SHORT_SECRET: &str = "That is too short: it needs 8 characters.";
const FEW_TRIES: &str = "A wrong PIN has been given to this token: few tries are left.";
const LAST_TRY: &str = "This is the last try: one more wrong PIN locks the token.";
const PIN_PLACES: &str =
    "set TRUST_PKCS11_PIN, or name a file with TRUST_PKCS11_PIN_FILE or --pin-file";
const BACKUP: &str = "passphrase for the backup";
/// Digits of a key's id that prompts show.
const ID_DIGITS: usize = 7;
/// Bytes of an answer to a question of yes or no.
const LONGEST_ANSWER: u64 = 1024;
/// Characters of the shortest passphrase for a new key (Notary v1).
const SHORTEST: usize = 8;
/// Prompts for the passphrase of one existing key (Notary v1).
const TRIES_EXISTING: u32 = 4;
/// Prompts for the PIN of one token; most lock themselves after three wrong ones.
const TRIES_PIN: u32 = 3;
/// Tries to enter a passphrase for one new key (Notary v1).
const TRIES_NEW: u32 = 12;
