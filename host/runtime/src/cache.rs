//! Compiled code on disk. Loading machine code is trusting it, so an entry counts only if its HMAC under this folder's own key is
//! right, for exactly this component, this keymill, this wasmtime and this configuration; anything else is compiled again and replaced. The folder
//! is 0700 and the key 0600, both checked. Precompiled code from elsewhere is never accepted: it lacks the key. Code is mapped and not
//! read into memory, so only what runs of it takes any; a file is replaced by another and never written to again.

use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use wasmtime::component::Component as Compiled;
use zeroize::Zeroizing;

use crate::digest::Digest;
use crate::error::CacheError;
use crate::random::RandomSource;

const KEY_BYTES: usize = 32;
/// A folder of compiled components that only this user could have written.
pub(crate) struct Cache {
    folder: PathBuf,
    key: Zeroizing<[u8; KEY_BYTES]>,
    /// What this wasmtime, with this configuration, on this processor, can load.
    compatible: [u8; 32],
}

impl Cache {
    pub(crate) fn open(
        folder: &Path,
        engine: &wasmtime::Engine,
        random: &dyn RandomSource,
    ) -> Result<Self, CacheError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        private(&fs::metadata(folder)?)?;
        let key = read_or_make_key(&folder.join("key"), random)?;
        let mut compatible = Sha256Hasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut compatible);
        Ok(Self { folder: folder.to_owned(), key, compatible: compatible.0.finalize().into() })
    }

    /// Whether there is an entry of it, ours or not.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.code(digest).exists() && self.tag(digest).exists()
    }

    /// The compiled component, if an entry of it is there and ours.
    pub(crate) fn get(&self, engine: &wasmtime::Engine, digest: &Digest) -> Option<Compiled> {
        let (path, tag) = (self.code(digest), fs::read(self.tag(digest)).ok()?);
        let mut mac = self.mac(digest)?;
        io::copy(&mut File::open(&path).ok()?, &mut MacWriter(&mut mac)).ok()?;
        mac.verify_slice(&tag).ok()?;
        map_authentic(engine, &path).ok()
    }

    /// Keeps a compiled component. The code appears whole or not at all, and counts once its tag is there.
    pub(crate) fn put(&self, digest: &Digest, compiled: &Compiled) -> io::Result<()> {
        let code = compiled.serialize().map_err(io::Error::other)?;
        let mut mac = self.mac(digest).ok_or_else(|| io::Error::other("no key"))?;
        mac.update(&code);
        replace(&self.code(digest), &code)?;
        replace(&self.tag(digest), &mac.finalize().into_bytes())
    }

    fn code(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.cwasm", digest.hex()))
    }

    fn tag(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}.hmac", digest.hex()))
    }

    /// Of everything but the code, which follows.
    fn mac(&self, digest: &Digest) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).ok()?;
        mac.update(env!("CARGO_PKG_VERSION").as_bytes());
        mac.update(digest.as_bytes());
        mac.update(&self.compatible);
        Some(mac)
    }
}

#[expect(
    unsafe_code,
    reason = "the file has an HMAC under a key that only this user can read: it is what `serialize` returned to us, in this process or \
              an earlier one, for this very configuration. Nobody else can write to it or to its folder, and keymill replaces files and \
              never changes one"
)]
fn map_authentic(engine: &wasmtime::Engine, path: &Path) -> wasmtime::Result<Compiled> {
    // SAFETY: see the reason above; the only caller is `Cache::get`, with a file whose HMAC it has checked.
    unsafe { Compiled::deserialize_file(engine, path) }
}

/// Bytes into an HMAC, as they are read.
struct MacWriter<'a>(&'a mut Hmac<Sha256>);

impl io::Write for MacWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_added_extension(format!("draft-{}", std::process::id()));
    let written = write_private(&draft, bytes).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // What cannot be removed is a draft, which nothing reads.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn read_or_make_key(
    path: &Path,
    random: &dyn RandomSource,
) -> Result<Zeroizing<[u8; KEY_BYTES]>, CacheError> {
    if let Some(key) = read_key(path)? {
        return Ok(key);
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    random.fill(key.as_mut_slice())?;
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let _ = fs::remove_file(&draft);
    write_private(&draft, key.as_slice())?;
    // A hard link fails where a rename would overwrite: of two processes that start at once, one makes the key.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => Ok(key),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read_key(path)?.ok_or(CacheError::Permissions)
        }
        Err(error) => Err(error.into()),
    }
}

/// A key of another length is replaced: what it authenticated is then compiled again.
fn read_key(path: &Path) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, CacheError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    private(&fs::metadata(path)?)?;
    match <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
        Ok(key) => Ok(Some(Zeroizing::new(key))),
        Err(_) => {
            fs::remove_file(path)?;
            Ok(None)
        }
    }
}

/// Nobody but its owner may read or write it.
fn private(metadata: &fs::Metadata) -> Result<(), CacheError> {
    if metadata.mode() & 0o077 == 0 { Ok(()) } else { Err(CacheError::Permissions) }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// `Hash` into sha256, so that the key is not a 64-bit hash.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let bytes: [u8; 32] = self.0.clone().finalize().into();
        u64::from_le_bytes(std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0)))
    }
}
