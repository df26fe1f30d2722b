//! The thread of the uploads: a runtime, one task for each destination, the sockets, reloads and
//! the end.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::board::Board;
use super::listening::Listeners;
use super::names;
use super::notify::Notify;
use super::uploader::{Uploader, Wakes};
use crate::config::Config;
use crate::failure;
use crate::privileges;
use crate::talk::say;

/// Threads for reading, compressing and confirming. More would only wait for each other's disk.
const HELPERS: usize = 4;

/// The pause before tasks that ended in a panic are started again.
const AFTER_PANIC: Duration = Duration::from_secs(5);

/// How long the runtime may take to let go of its helpers at the end.
const LET_GO: Duration = Duration::from_millis(500);

/// The thread.
#[derive(Debug)]
pub(super) struct Uploads {
    orders: mpsc::UnboundedSender<Order>,
    thread: JoinHandle<()>,
}

/// What the main thread asks for.
#[derive(Debug)]
enum Order {
    Reload,
    Finish,
}

impl Uploads {
    pub(super) fn start(config: Config, board: Arc<Board>, listeners: Listeners) -> Result<Self> {
        let (orders, received) = mpsc::unbounded_channel();
        let work = move || {
            if let Err(error) = privileges::drop_all() {
                say(format_args!("uploads: giving up privileges: {error:#}"));
            }
            match runtime() {
                Ok(runtime) => {
                    runtime.block_on(Keeper::new(config, board).keep(received, listeners));
                    // A helper that hangs in a disk is not waited for.
                    runtime.shutdown_timeout(LET_GO);
                }
                Err(error) => say(format_args!("uploads do not work: {error:#}")),
            }
        };
        let named = std::thread::Builder::new().name("uploads".to_owned());
        let thread = named.spawn(work).context("starting the thread of the uploads")?;
        Ok(Self { orders, thread })
    }

    /// Reads the configuration again and tries every destination anew.
    pub(super) fn reload(&self) {
        let _ = self.orders.send(Order::Reload);
    }

    /// Uploads what there is for as long as the configuration allows.
    pub(super) fn finish(self) {
        let _ = self.orders.send(Order::Finish);
        // A panic in there has been said.
        let _ = self.thread.join();
    }
}

/// A runtime for a program that waits most of the time.
pub(super) fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(HELPERS)
        .thread_name("upload-helper")
        .build()
        .context("starting the runtime of the uploads")
}

/// The thread's side.
struct Keeper {
    config: Config,
    board: Arc<Board>,
    sealed: watch::Sender<()>,
    ending: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Keeper {
    fn new(config: Config, board: Arc<Board>) -> Self {
        let (sealed, _) = watch::channel(());
        let (ending, _) = watch::channel(false);
        let wake = sealed.clone();
        board.spool().on_sealed(move || {
            wake.send_replace(());
        });
        Self { config, board, sealed, ending, tasks: JoinSet::new() }
    }

    async fn keep(mut self, mut orders: mpsc::UnboundedReceiver<Order>, listeners: Listeners) {
        let servers = listeners.serve(&self.board);
        self.start();
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Reload) => self.reload().await,
                    Some(Order::Finish) | None => break,
                },
                Some(ended) = self.tasks.join_next() => {
                    if ended.is_err_and(|error| error.is_panic()) {
                        // The panic itself has been said.
                        tokio::time::sleep(AFTER_PANIC).await;
                        self.restart().await;
                    }
                }
            }
        }
        self.finish().await;
        drop(servers);
    }

    fn start(&mut self) {
        for progress in self.board.set_destinations(&self.config.destinations) {
            let wakes = Wakes { sealed: self.sealed.subscribe(), ending: self.ending.subscribe() };
            self.tasks.spawn(Uploader::new(progress, Arc::clone(&self.board), wakes).run());
        }
    }

    /// Ends all tasks and starts them anew. A put that is broken off is found there, or not, by
    /// the next attempt.
    async fn restart(&mut self) {
        self.tasks.shutdown().await;
        self.start();
    }

    async fn reload(&mut self) {
        let problem = self.take_new_config().await.err().map(|error| failure::render(&error));
        match &problem {
            None => say(format_args!("reloaded {}", self.board.config_path.display())),
            Some(problem) => say(format_args!("{problem}\nthe configuration stays as it was")),
        }
        self.restart().await;
        self.board.reloaded(problem);
        Notify::reloaded();
    }

    async fn take_new_config(&mut self) -> Result<()> {
        let path = self.board.config_path.clone();
        let new = tokio::task::spawn_blocking(move || Config::load(&path)).await??;
        let fixed = self.config.fixed_tables_changed(&new);
        if !fixed.is_empty() {
            say(format_args!("{}: restart the service for what has changed", fixed.join(", ")));
        }
        let new = Config {
            record: self.config.record.clone(),
            spool: self.config.spool.clone(),
            metrics: self.config.metrics.clone(),
            socket: self.config.socket.clone(),
            ..new
        };
        self.tasks.shutdown().await;
        let (spool, consumers) = (self.board.spool().clone(), new.clone());
        let set = tokio::task::spawn_blocking(move || spool.set_consumers(&names(&consumers)));
        set.await??;
        self.board.reconfigure(new.fitting_batch(), new.hash());
        self.config = new;
        Ok(())
    }

    /// Lets every task upload what there is, as long as the configuration allows.
    async fn finish(mut self) {
        self.ending.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(self.config.shutdown_grace, all).await;
        self.tasks.shutdown().await;
    }
}
