//! What was typed after `users`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use forebear_identity::{Email, Role, Store};

/// `users`.
#[derive(Args, Debug)]
#[command(
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  sudo forebear-agent users add ada@example.com --role dba
  sudo forebear-agent users enroll ada@example.com
  sudo forebear-agent users list

The accounts are in one file for root alone. A file or folder that others can read or write is
refused, and so is a symbolic link. A change is there as a whole or not at all."
)]
pub struct UsersArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: UsersCommand,

    /// The file of the accounts.
    #[arg(long, global = true, value_name = "PATH", default_value = Store::PATH)]
    pub store: PathBuf,
}

/// The subcommands of `users`.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Adds an account. It can do nothing before it is enrolled.
    #[command(after_help = "\
Example: sudo forebear-agent users add ada@example.com --role dba --role ops

An account that was revoked comes back with the roles that are given now, and is enrolled anew.")]
    Add {
        /// The e-mail address that the person gives at login.
        email: Email,
        /// What the person is, in your own words; in every event, and for policies. May be given
        /// several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<Role>,
    },
    /// Shows the accounts: roles, whether enrolled or revoked, backup codes that are left.
    #[command(after_help = "Example: sudo forebear-agent users list --json")]
    List {
        /// As one JSON object a line.
        #[arg(long)]
        json: bool,
    },
    /// Ends an account, and forgets its secret and its backup codes.
    #[command(after_help = "\
Example: sudo forebear-agent users revoke ada@example.com

`users add` brings it back, to be enrolled anew.")]
    Revoke {
        /// The account.
        email: Email,
        /// Also if there is no such account: whoever has this address at the provider is refused
        /// from then on.
        #[arg(long)]
        unknown: bool,
    },
    /// Makes a secret for the person's authenticator app and ten backup codes, and shows them
    /// once.
    #[command(after_help = "\
Example: sudo forebear-agent users enroll ada@example.com

A QR code, the otpauth URL, the secret as text, and the backup codes are shown on the terminal,
this once: the backup codes are kept as hashes. Let the person scan the code, and keep nothing.")]
    Enroll {
        /// The account.
        email: Email,
        /// Codes by SHA-256 instead of SHA-1. Some apps show wrong codes then.
        #[arg(long)]
        sha256: bool,
        /// How long a code is: 6 or 8 digits. Some apps show 6 always.
        #[arg(long, value_name = "NUMBER", default_value_t = 6,
            value_parser = clap::value_parser!(u8).range(6..=8))]
        digits: u8,
        /// Enrols an account that is enrolled: its secret and backup codes end.
        #[arg(long)]
        replace: bool,
        /// Also if standard output is not a terminal, such as a pipe. Whoever reads it can be
        /// this person.
        #[arg(long)]
        stdout: bool,
    },
    /// Adds many accounts, or gives them other roles, from a file.
    #[command(after_help = "\
Example: sudo forebear-agent users import people.csv

A line is CSV, an address and then roles, or a JSON object:

  ada@example.com,dba,ops
  {\"email\": \"ada@example.com\", \"roles\": [\"dba\", \"ops\"]}

A first line `email,roles` and empty lines are passed over. Accounts that are in the file have the
roles of the file afterwards; others stay as they are. If a line is wrong, every wrong one is told
and nothing is changed.")]
    Import {
        /// The file, or - for standard input.
        file: PathBuf,
    },
}
