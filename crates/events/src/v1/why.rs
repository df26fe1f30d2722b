//! Why something is not known.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// Why something is not known.
    pub enum Why {
        /// It ended before it could be looked at, or before the agent started.
        ExitedBeforeCapture = "exited_before_capture",
        /// The record that would have told was lost to an overload.
        SensorLostEvents = "sensor_lost_events",
        /// It lies before the first process that the kernel or the pid namespace can name.
        StartedBeforeBootOfNamespace = "started_before_boot_of_namespace",
        /// The agent may not read it.
        PermissionDenied = "permission_denied",
        /// The sensor in use cannot see it.
        NotObservable = "not_observable",
        /// It was in memory that the kernel could not read at that moment.
        Unreadable = "unreadable",
    }
}
