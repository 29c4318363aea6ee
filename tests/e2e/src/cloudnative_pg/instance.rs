//! The instance's half: told by the status, it reads the Secret itself and alters the role.
//!
//! What it remembers dies with its process; what the status says does not. A life ends with a crash or a restart, and the next
//! reconciles at once.

use std::sync::Arc;
use std::time::Duration;

use kube::ResourceExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use super::mode::Mode;
use super::{Applied, Fault, World, role};

/// The longest wait before what failed is repeated.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// One life after the other.
pub(super) async fn run(world: Arc<World>, mut restarts: watch::Receiver<u64>) {
    loop {
        tokio::select! {
            () = live(&world) => {}
            _ = restarts.changed() => {}
        }
    }
}

/// Why a reconcile did not come to its end.
enum Trouble {
    /// The process is dead.
    Crashed,
    /// The Secret or PostgreSQL refuses.
    Refused(String),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
        Trouble::Refused(text)
    }
}

/// One process: its connection and its memory.
struct Process<'a> {
    world: &'a World,
    connection: Option<Connection>,
    /// The version that this process has applied: all that mode `App` remembers.
    applied: Option<String>,
}

struct Connection {
    client: Client,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

async fn live(world: &World) {
    let delays = world.settings.delays;
    let mut process = Process { world, connection: None, applied: None };
    let mut observed = world.observed.subscribe();
    let mut retry = delays.retry;
    loop {
        let newest = observed.borrow_and_update().clone();
        let outcome = process.reconcile().await;
        world.status.send_modify(|status| status.looked_after = newest);
        let next = match outcome {
            Ok(()) => {
                retry = delays.retry;
                delays.tick
            }
            Err(Trouble::Crashed) => return,
            Err(Trouble::Refused(problem)) => {
                process.say(problem);
                let now = retry;
                retry = RETRY_MAX.min(retry * 2);
                now
            }
        };
        tokio::select! {
            changed = observed.changed() => {
                if changed.is_err() {
                    return;
                }
                tokio::time::sleep(delays.react).await;
            }
            () = tokio::time::sleep(next) => {}
        }
    }
}

impl Process<'_> {
    async fn reconcile(&mut self) -> Result<(), Trouble> {
        let settings = &self.world.settings;
        if role::is_standby(self.client().await?).await? {
            return Ok(());
        }
        let secret = self.world.read().await.map_err(|error| Trouble::Refused(error.to_string()))?;
        let Some(secret) = secret else { return self.missing() };
        let version = secret.resource_version().unwrap_or_default();
        if self.is_due(&version).await? {
            let credential = settings.mode.credential(&secret, &settings.role).map_err(Trouble::Refused)?;
            let verifier = role::verifier(&credential).map_err(Trouble::Refused)?;
            self.alter(&verifier).await?;
            self.remember(version).await?;
        }
        self.completed();
        Ok(())
    }

    async fn is_due(&mut self, version: &str) -> Result<bool, Trouble> {
        let acknowledged = self.world.status.borrow().applied.clone();
        Ok(match self.world.settings.mode {
            Mode::App => self.applied.as_deref() != Some(version),
            Mode::DatabaseRole => acknowledged.is_none_or(|applied| applied.resource_version != version),
            Mode::ManagedRole => match acknowledged {
                Some(applied) => {
                    let world = self.world;
                    let role = &world.settings.role;
                    applied.resource_version != version
                        || applied.row != role::row(self.client().await?, role).await?
                }
                None => true,
            },
        })
    }

    async fn alter(&mut self, verifier: &str) -> Result<(), Trouble> {
        let world = self.world;
        let settings = &world.settings;
        let transaction = role::alter(self.client().await?, settings.mode, &settings.role, verifier).await?;
        if world.strikes(Fault::CrashBeforeCommit) {
            return Err(Trouble::Crashed);
        }
        transaction.commit().await?;
        if world.strikes(Fault::CrashAfterCommit) {
            return Err(Trouble::Crashed);
        }
        Ok(())
    }

    async fn remember(&mut self, version: String) -> Result<(), Trouble> {
        match self.world.settings.mode {
            Mode::App => self.applied = Some(version),
            Mode::ManagedRole | Mode::DatabaseRole => {
                let world = self.world;
                let row = role::row(self.client().await?, &world.settings.role).await?;
                let applied = Applied { resource_version: version, row };
                world.status.send_modify(|status| status.applied = Some(applied));
            }
        }
        Ok(())
    }

    /// In mode `App` a missing Secret is nothing to speak of.
    fn missing(&self) -> Result<(), Trouble> {
        match self.world.settings.mode {
            Mode::App => {
                self.completed();
                Ok(())
            }
            Mode::ManagedRole | Mode::DatabaseRole => {
                Err(Trouble::Refused("the Secret is missing".to_owned()))
            }
        }
    }

    fn completed(&self) {
        self.world.status.send_modify(|status| {
            status.problem = None;
            status.completed += 1;
        });
    }

    /// A failure of one role is written down and ends nothing else; one of the application's Secret ends the reconcile.
    fn say(&self, problem: String) {
        if !self.world.settings.mode.stops_at_failure() {
            self.world.status.send_modify(|status| {
                status.problem = Some(problem);
                status.completed += 1;
            });
        }
    }

    async fn client(&mut self) -> Result<&mut Client, Trouble> {
        let usable = self.connection.take().filter(|connection| !connection.client.is_closed());
        let connection = match usable {
            Some(connection) => connection,
            None => connect(&self.world.database).await?,
        };
        Ok(&mut self.connection.insert(connection).client)
    }
}

async fn connect(config: &tokio_postgres::Config) -> Result<Connection, Trouble> {
    let (client, connection) = config.connect(NoTls).await?;
    // How a connection ends, its client says.
    let driver = tokio::spawn(async move { drop(connection.await) });
    Ok(Connection { client, driver })
}
