//! A connection whose every read and write together end by a deadline: a timeout of the socket
//! alone would begin anew with each byte.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// The connection until then.
pub(super) struct Timed<'s> {
    stream: &'s UnixStream,
    deadline: Instant,
}

impl<'s> Timed<'s> {
    /// Until a time.
    pub(super) fn until(stream: &'s UnixStream, deadline: Instant) -> Self {
        Self { stream, deadline }
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        // A timeout of 0 would be none.
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(Some(left.max(Duration::from_millis(1)))),
        }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_nonblocking(false)?;
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(bytes)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_nonblocking(false)?;
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_now_and_then_does_not_put_the_end_off() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let begun = Instant::now();
        let slow = std::thread::spawn(move || {
            while (&theirs).write(b"x").is_ok() && begun.elapsed() < Duration::from_secs(20) {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        let mut all = [0; 100_000];
        let read = Timed::until(&ours, begun + Duration::from_millis(300)).read_exact(&mut all);
        assert!(read.is_err());
        assert!(begun.elapsed() < Duration::from_secs(10));
        drop(ours);
        slow.join().unwrap();
    }
}
