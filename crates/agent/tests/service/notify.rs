//! What a service manager hears (sd_notify(3)), from a socket that stands for systemd's.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use crate::service::{Place, can_record};

/// How long a word may take; the watchdog's are due every 200 ms.
const PATIENCE: Duration = Duration::from_secs(20);

/// The manager's end of the socket.
struct Manager(UnixDatagram);

impl Manager {
    fn at(place: &Place) -> Self {
        let socket = UnixDatagram::bind(place.path("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next message; a silence of [`PATIENCE`] fails.
    fn hears(&self) -> String {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    /// The next message that is no sign of life.
    fn hears_news(&self) -> String {
        loop {
            let message = self.hears();
            if message.trim() != "WATCHDOG=1" {
                return message;
            }
        }
    }
}

#[test]
fn the_service_manager_hears_of_start_life_reload_and_end() {
    if !can_record() {
        return;
    }
    let place = Place::new();
    place.configure("", &place.folder());
    let manager = Manager::at(&place);
    let mut command = place.run_command();
    command.env("NOTIFY_SOCKET", place.path("notify")).env("WATCHDOG_USEC", "600000");
    let service = place.start_as(command);
    assert_eq!(manager.hears_news().trim(), "READY=1");
    for _ in 0..5 {
        assert_eq!(manager.hears().trim(), "WATCHDOG=1");
    }
    service.signal(Signal::HUP);
    let reloading = manager.hears_news();
    assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
    assert_eq!(manager.hears_news().trim(), "READY=1");
    service.stop();
    assert_eq!(manager.hears_news().trim(), "STOPPING=1");
}
