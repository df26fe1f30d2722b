//! Which control groups are containers.
//!
//! A source tells a group's path once; afterwards its id is enough. A process keeps its container
//! when this is forgotten, and hands it on to its children.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::container;
use crate::ids::CgroupId;
use crate::observation::Place;
use crate::process::Container;

/// How many groups are remembered; a host has a few hundred at a time.
const REMEMBERED: usize = 16_384;

/// The groups that a path was told of.
#[derive(Debug, Default)]
pub(super) struct Groups {
    containers: HashMap<CgroupId, Option<Arc<Container>>>,
}

impl Groups {
    /// Remembers a group whose path is told.
    pub(super) fn learn(&mut self, place: &Place<'_>) {
        let Some(path) = place.cgroup_path else { return };
        if self.containers.len() >= REMEMBERED {
            self.containers.clear();
        }
        let found = container::from_cgroup(path).map(Arc::new);
        self.containers.insert(place.cgroup, found);
    }

    /// The container of a process in this place, which was `before` in another one.
    pub(super) fn container(
        &mut self,
        place: &Place<'_>,
        before: Option<(CgroupId, &Option<Arc<Container>>)>,
    ) -> Option<Arc<Container>> {
        self.learn(place);
        match before {
            Some((cgroup, container)) if cgroup == place.cgroup && place.cgroup_path.is_none() => {
                container.clone()
            }
            _ => self.containers.get(&place.cgroup).cloned().flatten(),
        }
    }
}
