//! A PostgreSQL that stands for the cluster `cluster-example`: its owner's role and database, at port 5432 of an address of its own,
//! so that every value of the published Secret leads there as it is written.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result};
use servers::{Postgres, PostgresOptions};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

/// The password that the role has before anything rotates.
pub(crate) const FIRST: &str = "FirstPasswordMadeByCloudNativePG";

const PORT: u16 = 5432;

/// A running PostgreSQL.
pub(crate) struct Database {
    server: Postgres,
    address: IpAddr,
    doorway: JoinHandle<()>,
}

impl Database {
    /// Starts one with the role and the database `app`; none where PostgreSQL is missing.
    pub(crate) async fn start() -> Option<Self> {
        let server =
            tokio::task::spawn_blocking(|| Postgres::start(&PostgresOptions::default())).await.unwrap()?;
        let [high, low] = server.port().to_be_bytes();
        let address = Ipv4Addr::new(127, 54, high, low);
        let doorway = open(address, server.port()).await.unwrap();
        let database = Self { server, address: address.into(), doorway };
        database.add_role("app").await;
        database.admin().await.batch_execute("CREATE DATABASE app OWNER app").await.unwrap();
        assert!(database.accepts("app", FIRST).await, "the first password is refused");
        assert!(!database.accepts("app", "wrong").await, "any password is accepted");
        Some(database)
    }

    /// Where all names of the cluster lead, at port 5432.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// The superuser's connection, past the doorway.
    pub(crate) fn superuser(&self) -> Config {
        let mut config = Config::new();
        config.host(self.server.host()).port(self.server.port()).dbname("postgres");
        config.user(self.server.superuser()).password(self.server.password());
        config
    }

    /// A new connection of the superuser.
    pub(crate) async fn admin(&self) -> Client {
        connect(&self.superuser()).await.unwrap()
    }

    /// One more role that may log in, with the first password.
    pub(crate) async fn add_role(&self, name: &str) {
        let create = format!("CREATE ROLE \"{name}\" LOGIN PASSWORD '{FIRST}'");
        self.admin().await.batch_execute(&create).await.unwrap();
    }

    /// Whether somebody can log in now.
    pub(crate) async fn accepts(&self, role: &str, password: &str) -> bool {
        let mut config = Config::new();
        config.host(self.address.to_string()).port(PORT).dbname("postgres").user(role).password(password);
        match connect(&config).await {
            Ok(_) => true,
            Err(error) => {
                let refused = error.code() == Some(&SqlState::INVALID_PASSWORD);
                assert!(refused, "the database does not answer: {error}");
                false
            }
        }
    }

    /// From now on commits wait, as they do for a synchronous standby that is gone.
    pub(crate) async fn hold_commits(&self) {
        let admin = self.admin().await;
        admin.batch_execute("ALTER SYSTEM SET synchronous_standby_names = 'gone'").await.unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    }

    /// Lets the waiting commits through.
    pub(crate) async fn release_commits(&self) {
        let admin = self.admin().await;
        admin.batch_execute("ALTER SYSTEM RESET synchronous_standby_names").await.unwrap();
        admin.batch_execute("SELECT pg_reload_conf()").await.unwrap();
    }

    /// How many commits wait.
    pub(crate) async fn waiting_commits(&self) -> Result<i64> {
        let query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
        Ok(self.admin().await.query_one(query, &[]).await?.try_get(0)?)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.doorway.abort();
    }
}

async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let mut config = config.clone();
    config.connect_timeout(Duration::from_secs(20));
    let (client, connection) = config.connect(NoTls).await?;
    // How a connection ends, its client says.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// Carries connections to port 5432 of an address to a port of loopback.
async fn open(address: Ipv4Addr, port: u16) -> Result<JoinHandle<()>> {
    let listener = TcpListener::bind((address, PORT)).await.context("listen on port 5432")?;
    Ok(tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                    // A connection that breaks is the client's to notice.
                    drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
                }
            });
        }
    }))
}
