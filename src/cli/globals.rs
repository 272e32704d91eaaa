//! The options every command takes.

use clap::{ArgAction, Args, ValueEnum};
use std::path::PathBuf;

/// What every command can be told.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Folder of keys and trusted metadata [default: `$DOCKER_CONFIG/trust`, else `~/.docker/trust`]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) trust_dir: Option<PathBuf>,

    /// Trust server [default: `$DOCKER_CONTENT_TRUST_SERVER`, else the registry's]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,

    /// Certificate authority of the servers [default: Docker's folder `tls/HOST`]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Never touch the network; use the metadata kept on this machine
    #[arg(long, global = true)]
    pub(crate) offline: bool,

    /// File with the passphrase of every key that is used
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// PKCS#11 library of tokens that hold keys; may be given several times
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) pkcs11_module: Vec<PathBuf>,

    /// File with the PIN of every token, or of the one called LABEL; may be given several times
    #[arg(long, global = true, value_name = "[LABEL=]FILE")]
    pub(crate) pin_file: Vec<String>,

    /// Form of the results
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value_t)]
    pub(crate) format: Format,

    /// No progress, no remarks: results and errors only
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Say on standard error what is being done
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub(crate) verbose: bool,

    /// When to use colors on standard error
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: Color,
}

/// Form of what is written to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
}

/// When to use colors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Never
    Never,
    /// Always
    Always,
}
