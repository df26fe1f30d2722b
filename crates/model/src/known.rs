//! What is known, and for what is not: why.
//!
//! Invariant: absence always has a reason. There is no sentinel value anywhere in the model.

use std::fmt;

/// Either a value or the reason why there is none.
pub type Known<T> = Result<T, Why>;

/// The reason why something is not known. The text forms are part of the exported format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// It ended before it could be looked at, or before the agent started.
    ExitedBeforeCapture,
    /// The record that would have told was lost to an overload.
    SensorLostEvents,
    /// It lies before the first process that this kernel or pid namespace can name (the kernel
    /// itself, pid 0).
    StartedBeforeBootOfNamespace,
    /// The observer may not read it.
    PermissionDenied,
    /// This source of observations cannot see it.
    NotObservable,
    /// It was in memory that the kernel could not read at that moment.
    Unreadable,
}

impl Why {
    /// Every reason, for catalogues and tests.
    pub const ALL: [Self; 6] = [
        Self::ExitedBeforeCapture,
        Self::SensorLostEvents,
        Self::StartedBeforeBootOfNamespace,
        Self::PermissionDenied,
        Self::NotObservable,
        Self::Unreadable,
    ];

    /// The reason's name in the exported format and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExitedBeforeCapture => "exited_before_capture",
            Self::SensorLostEvents => "sensor_lost_events",
            Self::StartedBeforeBootOfNamespace => "started_before_boot_of_namespace",
            Self::PermissionDenied => "permission_denied",
            Self::NotObservable => "not_observable",
            Self::Unreadable => "unreadable",
        }
    }

    /// Finds a reason by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.as_str() == name)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
