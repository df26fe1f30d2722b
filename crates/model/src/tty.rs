//! Device numbers, terminals and the standard streams.
//!
//! The kinds follow the kernel's `Documentation/admin-guide/devices.txt`.

use std::fmt;

/// A device number, split. Majors have 12 bits and minors 20 (`include/linux/kdev_t.h`); neither
/// is ever cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// The driver's number.
    pub major: u32,
    /// The device's number within the driver.
    pub minor: u32,
}

impl Device {
    /// `/dev/tty`: whatever the opener's controlling terminal is (tty(4)).
    pub const DEV_TTY: Self = Self { major: 5, minor: 0 };
    /// `/dev/console` (console(4)).
    pub const DEV_CONSOLE: Self = Self { major: 5, minor: 1 };

    /// Splits the kernel's internal `dev_t`: 12 bits of major above 20 bits of minor.
    pub fn from_kernel(dev: u32) -> Self {
        Self { major: dev >> 20, minor: dev & 0xf_ffff }
    }

    /// The kind of terminal behind this number; [`TerminalKind::Other`] for an unknown driver.
    ///
    /// Majors that are handed out at run time are not known here; a source that has read
    /// `/proc/tty/drivers` names the kind itself.
    pub fn terminal_kind(self) -> TerminalKind {
        match (self.major, self.minor) {
            (136..=143 | 3, _) => TerminalKind::Pseudo,
            (4, 1..=63) => TerminalKind::Console,
            // 4,64.. ttyS; 166 ttyACM; 188 ttyUSB; 204 low-density (ttyAMA); 229 hvc.
            (4, 64..=255) | (166 | 188 | 204 | 229, _) => TerminalKind::Serial,
            _ => TerminalKind::Other,
        }
    }

    /// The usual name below `/dev`, such as `pts/3` or `ttyS0`, for the drivers whose numbering
    /// is fixed.
    pub fn terminal_name(self) -> Option<String> {
        let Self { major, minor } = self;
        match (major, minor) {
            (136..=143, _) => Some(format!("pts/{}", ((major - 136) << 20) + minor)),
            (4, 0..=63) => Some(format!("tty{minor}")),
            (4, 64..=255) => Some(format!("ttyS{}", minor - 64)),
            (166, _) => Some(format!("ttyACM{minor}")),
            (188, _) => Some(format!("ttyUSB{minor}")),
            (204, 64..=79) => Some(format!("ttyAMA{}", minor - 64)),
            (229, _) => Some(format!("hvc{minor}")),
            (5, 0) => Some("tty".to_owned()),
            (5, 1) => Some("console".to_owned()),
            // Legacy BSD pseudo-terminals: ttyp0 .. ttyef.
            (3, 0..=255) => {
                let bank = b"pqrstuvwxyzabcde"[(minor / 16) as usize] as char;
                Some(format!("tty{bank}{:x}", minor % 16))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

/// What kind of terminal a process is controlled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TerminalKind {
    /// A pseudo-terminal: ssh, tmux, a terminal emulator (pty(7)).
    Pseudo,
    /// A serial line or a hypervisor console.
    Serial,
    /// A virtual console: keyboard and screen.
    Console,
    /// A terminal of another driver.
    Other,
}

impl TerminalKind {
    /// Finds a kind by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Pseudo, Self::Serial, Self::Console, Self::Other];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind's name in the exported format and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pseudo => "pseudo",
            Self::Serial => "serial",
            Self::Console => "console",
            Self::Other => "other",
        }
    }
}

/// The controlling terminal of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terminal {
    /// Its device number.
    pub device: Device,
    /// Its kind, by the number or by the driver's own statement.
    pub kind: TerminalKind,
}

impl Terminal {
    /// A terminal whose kind follows from its number.
    pub fn new(device: Device) -> Self {
        Self { device, kind: device.terminal_kind() }
    }
}

/// What a standard stream is open on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamKind {
    /// A terminal of any driver.
    Tty,
    /// Another character device, such as `/dev/null`.
    Char,
    /// A block device.
    Block,
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A pipe or FIFO.
    Pipe,
    /// A socket.
    Socket,
    /// A file without a place in a file system: eventfd, epoll and the like.
    Anon,
}

impl StreamKind {
    /// Every kind, for catalogues and tests.
    pub const ALL: [Self; 8] = [
        Self::Tty,
        Self::Char,
        Self::Block,
        Self::File,
        Self::Directory,
        Self::Pipe,
        Self::Socket,
        Self::Anon,
    ];

    /// The kind's name in the exported format and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tty => "tty",
            Self::Char => "char",
            Self::Block => "block",
            Self::File => "file",
            Self::Directory => "directory",
            Self::Pipe => "pipe",
            Self::Socket => "socket",
            Self::Anon => "anon",
        }
    }

    /// Finds a kind by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The kind that a mode's file type says (inode(7)), for a file with this device number.
    pub fn from_mode(mode: u32, device: Device) -> Self {
        match mode & 0o170_000 {
            0o020_000 if device.is_terminal() => Self::Tty,
            0o020_000 => Self::Char,
            0o060_000 => Self::Block,
            0o100_000 => Self::File,
            0o040_000 => Self::Directory,
            0o010_000 => Self::Pipe,
            0o140_000 => Self::Socket,
            _ => Self::Anon,
        }
    }
}

impl Device {
    /// Whether this number belongs to a terminal driver with a fixed number.
    pub fn is_terminal(self) -> bool {
        self.terminal_kind() != TerminalKind::Other || matches!(self.major, 4 | 5 | 128..=135)
    }
}

/// One of a process's standard streams, as it was at the moment of the observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stream {
    /// `st_rdev` of a device, otherwise `st_dev` of the file system that holds the file.
    pub device: Device,
    /// What it is open on.
    pub kind: StreamKind,
    /// Whether it is the process's own controlling terminal, also through `/dev/tty` or
    /// `/dev/console`.
    pub is_ctty: bool,
}

/// Descriptors 0, 1 and 2; a closed one is `None`.
pub type Streams = [Option<Stream>; 3];
