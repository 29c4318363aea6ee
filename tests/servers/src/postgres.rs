//! PostgreSQL as the distribution has it: TCP on loopback and a socket, scram-sha-256 on both.
//!
//! PostgreSQL refuses to run as root. When the tests are root it runs as `postgres`, else `nobody`, in a folder of that user,
//! and the folder's parent is one that this user can reach.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::folder::Folder;
use crate::missing::{self, Missing};
use crate::port;
use crate::process::{self, End, Process};

const SUPERUSER: &str = "postgres";
const VERSIONS: &str = "/usr/lib/postgresql";
/// A socket's path must fit in 107 bytes, and its name takes some.
const SOCKET_FOLDER_MAX: usize = 80;

/// How a PostgreSQL is started.
#[derive(Debug, Clone, Default)]
pub struct PostgresOptions {
    /// More settings, such as `("log_statement", "all")`.
    pub settings: Vec<(String, String)>,
}

/// A running PostgreSQL. Stopped when it is dropped.
pub struct Postgres {
    process: Process,
    port: u16,
    password: String,
    bin: PathBuf,
    psql: PathBuf,
    folder: Arc<Folder>,
}

impl Postgres {
    /// Starts one; `None` when it is missing and nobody requires it.
    ///
    /// # Panics
    /// When it does not come up, or is missing and required.
    #[track_caller]
    #[must_use]
    pub fn start(options: &PostgresOptions) -> Option<Self> {
        missing::available(Self::started(options))
    }

    pub(crate) fn started(options: &PostgresOptions) -> Result<Self> {
        let bin = bin_dir()?;
        let user = User::find()?;
        process::on_free_ports(|| Self::start_in(&user, &bin, options))
    }

    /// `127.0.0.1`.
    #[must_use]
    pub fn host(&self) -> &str {
        "127.0.0.1"
    }

    /// The port, which also names the socket.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket: what libpq takes as a host that begins with `/`.
    #[must_use]
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// The superuser's name.
    #[must_use]
    pub fn superuser(&self) -> &str {
        SUPERUSER
    }

    /// The superuser's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The `psql` of this version.
    #[must_use]
    pub fn psql(&self) -> &Path {
        &self.psql
    }

    /// The folder with the server's own programs.
    #[must_use]
    pub fn bin_dir(&self) -> &Path {
        &self.bin
    }

    /// The folder with its data and log; it goes with the server.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The ids of the processes that run now: the first one of the server.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        vec![self.process.id()]
    }

    /// Runs a statement as the superuser in the database `postgres`; its rows, columns separated by `|`, without a heading.
    ///
    /// # Panics
    /// When the server refuses it; the message has what it says, not the statement.
    #[track_caller]
    #[must_use]
    pub fn sql(&self, statement: &str) -> String {
        missing::must(self.asked(statement))
    }

    fn start_in(user: &User, bin: &Path, options: &PostgresOptions) -> Result<Self> {
        let folder = Arc::new(user.folder()?);
        let password = port::unguessable()?;
        let data = folder.path().join("data");
        user.init(bin, folder.path(), &data, &password)?;
        let port = port::free()?;
        let mut command = user.command(&bin.join("postgres"));
        command.arg("-D").arg(&data).current_dir(folder.path());
        let mut set = |name: &str, value: &str| {
            command.arg("-c").arg(format!("{name}={value}"));
        };
        set("listen_addresses", "127.0.0.1");
        set("port", &port.to_string());
        set("unix_socket_directories", &folder.path().display().to_string());
        set("fsync", "off");
        for (name, value) in &options.settings {
            set(name, value);
        }
        let process = Process::start(&folder, "postgres", End::Quit, &command)?;
        let psql = find_psql(bin)?;
        let new = Self { process, port, password, bin: bin.to_owned(), psql, folder };
        new.process.ready(|| new.asked("select 1").ok())?;
        Ok(new)
    }

    fn asked(&self, statement: &str) -> Result<String> {
        let mut command = Command::new(&self.psql);
        command.args(["-X", "-q", "-A", "-t", "-w", "-v", "ON_ERROR_STOP=1", "-h", self.host()]);
        command.args(["-p", &self.port.to_string(), "-U", SUPERUSER, "-d", "postgres", "-c", statement]);
        command.env("PGPASSWORD", &self.password).env("PGCONNECT_TIMEOUT", "10");
        let output = command.output().context("run psql")?;
        Ok(succeeded("psql", &output)?.trim_end().to_owned())
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres").field("port", &self.port).field("bin", &self.bin).finish_non_exhaustive()
    }
}

/// Who runs the server.
enum User {
    /// Whoever runs the tests.
    Own,
    /// Somebody else, since the tests are root.
    Other { name: String, user: u32, group: u32 },
}

impl User {
    fn find() -> Result<Self> {
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
        if !is_root {
            return Ok(Self::Own);
        }
        let users = std::fs::read_to_string("/etc/passwd").context("read /etc/passwd")?;
        let found = ["postgres", "nobody"].into_iter().find_map(|name| {
            let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
            let mut numbers = line.split(':').skip(2).map(str::parse);
            let (user, group) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
            Some(Self::Other { name: name.to_owned(), user, group })
        });
        found.context("find the user postgres or nobody in /etc/passwd")
    }

    fn folder(&self) -> Result<Folder> {
        let temporary = std::env::temp_dir();
        for parent in [temporary.as_path(), Path::new("/tmp"), Path::new("/var/tmp")] {
            if parent.as_os_str().len() > SOCKET_FOLDER_MAX {
                continue;
            }
            let folder = Folder::make_in(parent, "postgres")?;
            if self.owns(folder.path())? {
                return Ok(folder);
            }
        }
        bail!("no temporary folder can be reached by the user that runs PostgreSQL")
    }

    /// Gives the folder to the user and says whether the user can then write there.
    fn owns(&self, folder: &Path) -> Result<bool> {
        let Self::Other { user, group, .. } = self else { return Ok(true) };
        std::os::unix::fs::chown(folder, Some(*user), Some(*group)).context("give the folder away")?;
        let mut test = self.command(Path::new("test"));
        let status = test.arg("-w").arg(folder).status().context("run setpriv")?;
        Ok(status.success())
    }

    fn command(&self, program: &Path) -> Command {
        match self {
            Self::Own => Command::new(program),
            Self::Other { name, user, group } => {
                let mut command = Command::new("setpriv");
                command.arg(format!("--reuid={user}")).arg(format!("--regid={group}"));
                command.args(["--clear-groups", "--inh-caps=-all", "--"]).arg(program);
                command.env("USER", name).env("LOGNAME", name);
                command
            }
        }
    }

    fn init(&self, bin: &Path, folder: &Path, data: &Path, password: &str) -> Result<()> {
        let file = folder.join("password");
        std::fs::write(&file, password).context("write the superuser's password")?;
        // The folder is its owner's alone; the file must be readable by that owner.
        std::fs::set_permissions(&file, Permissions::from_mode(0o644))?;
        let mut command = self.command(&bin.join("initdb"));
        command.arg("-D").arg(data).arg("--pwfile").arg(&file).current_dir(folder);
        command.args(["-U", SUPERUSER, "-A", "scram-sha-256", "-E", "UTF8", "--no-locale", "--no-sync"]);
        let output = command.output().context("run initdb")?;
        succeeded("initdb", &output).map(drop)
    }
}

/// The newest version under Debian's folder, else where PATH has it.
fn bin_dir() -> Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(VERSIONS)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort();
    let folders = versions.into_iter().rev().map(|(_, folder)| folder).chain(process::path_folders());
    let initdb = process::find_in(folders, "initdb");
    // PATH may have links; the other programs lie beside the file itself.
    let initdb = initdb.and_then(|path| path.canonicalize().ok());
    initdb.as_deref().and_then(Path::parent).map(Path::to_owned).ok_or_else(|| not_installed("initdb"))
}

fn find_psql(bin: &Path) -> Result<PathBuf> {
    let folders = std::iter::once(bin.to_owned()).chain(process::path_folders());
    process::find_in(folders, "psql").ok_or_else(|| not_installed("psql"))
}

fn not_installed(program: &str) -> anyhow::Error {
    Missing(format!("postgres: {program} is missing: install the package postgresql of your distribution"))
        .into()
}

fn succeeded(program: &str, output: &Output) -> Result<String> {
    if !output.status.success() {
        bail!("{program} fails: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
