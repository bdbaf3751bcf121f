//! Nothing half-written: a file is there as a whole, or as it was before.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};

/// Writes a file through `fill`. The bytes go to a temporary file beside the target, which is
/// synced and then renamed to it, and the folder is synced: after a crash there is either the old
/// file or the new one. If anything fails the temporary file is removed and the old file is
/// untouched. A file that is replaced keeps its permissions; a symbolic link keeps pointing to
/// the file that it points to, also if that is not there yet.
///
/// What is no regular file (`/dev/stdout`, `/dev/null`, a pipe) is written straight through.
///
/// # Errors
/// [`Error::File`] with what `fill` or the operating system said.
pub fn atomic_write(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<()> {
    let written = if is_stream(path) { through(path, fill) } else { beside(path, fill) };
    written.map_err(Error::file("write", path))
}

/// Whether a path is something that bytes flow through. The names of open files count as that even
/// where they lead to a regular file (`thinnet ... -o /dev/stdout > file`), because the shell that
/// opened it goes on with the same file.
fn is_stream(path: &Path) -> bool {
    let open_file =
        ["/dev/stdout", "/dev/stderr", "/dev/fd", "/proc"].iter().any(|name| path.starts_with(name));
    open_file || fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}

fn through(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let mut file = BufWriter::new(OpenOptions::new().append(true).open(path)?);
    fill(&mut file)?;
    file.flush()
}

/// The most symbolic links that lead from one to the next, as in Linux.
const MOST_LINKS: usize = 40;

/// Where the symbolic links of a path lead, also if nothing is there yet.
fn linked(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..=MOST_LINKS {
        let Ok(link) = fs::read_link(&target) else { return Ok(target) };
        // A relative link begins at its own folder; an absolute one takes the place of all.
        target = target.parent().unwrap_or(Path::new("")).join(link);
    }
    Err(io::Error::other("its symbolic links lead in a circle"))
}

fn beside(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<()> {
    let target = linked(path)?;
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (temporary, file) = Temporary::create(folder)?;
    if let Ok(replaced) = fs::metadata(&target) {
        file.set_permissions(replaced.permissions())?;
    }
    let mut file = BufWriter::with_capacity(1 << 18, file);
    fill(&mut file)?;
    file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
    fs::rename(&temporary.path, &target)?;
    temporary.keep();
    sync_folder(folder)
}

/// A temporary file that is removed when it goes out of scope, also by a panic in `fill`.
struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Temporary {
    /// A new file in `folder` under a name that no other process or thread uses.
    fn create(folder: &Path) -> io::Result<(Self, File)> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!(".thinnet-{}-{count}.tmp", process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self { path, renamed: false }, file)),
                // Left by a process that was killed and had the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
        }
    }

    fn keep(mut self) {
        self.renamed = true;
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // There is an error on its way already, and it says more than this one would.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the renaming last. File systems and folders that do not allow it are left alone.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error)
            if !matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied
            ) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::panic;

    /// A folder of its own for one test, removed at its end.
    pub struct Folder(pub PathBuf);

    impl Folder {
        pub fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("thinnet-test-{}-{name}", process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        pub fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_file_is_written_and_replaced() {
        let folder = Folder::new("replaced");
        let path = folder.0.join("a.csv");
        atomic_write(&path, |file| file.write_all(b"a longer first version")).unwrap();
        atomic_write(&path, |file| file.write_all(b"second")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(folder.names(), ["a.csv"]);
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = Folder::new("failure");
        let path = folder.0.join("a.csv");
        fs::write(&path, "old").unwrap();
        let failed = atomic_write(&path, |file| {
            file.write_all(b"new")?;
            Err(io::Error::other("out of rows"))
        });
        let sentence = failed.unwrap_err().to_string();
        assert_eq!(sentence, format!("cannot write {}: out of rows", path.display()));
        let panicked = panic::catch_unwind(|| atomic_write(&path, |_| panic!("a bug in the caller")));
        assert!(panicked.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(folder.names(), ["a.csv"]);
    }

    #[test]
    fn a_folder_that_is_missing_is_named() {
        let folder = Folder::new("missing");
        let path = folder.0.join("no/such/a.csv");
        let failed = atomic_write(&path, |_| Ok(())).unwrap_err().to_string();
        assert!(failed.contains("no/such/a.csv"), "{failed}");
        assert!(atomic_write(&folder.0, |_| Ok(())).is_err(), "a folder is no file");
        assert!(folder.names().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = Folder::new("links");
        let (file, link) = (folder.0.join("file"), folder.0.join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        atomic_write(&link, |target| target.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("file"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_what_is_not_there_yet_is_followed() {
        use std::os::unix::fs::symlink;
        let folder = Folder::new("dangling");
        fs::create_dir(folder.0.join("large")).unwrap();
        let (file, near, far) = (folder.0.join("large/file"), folder.0.join("near"), folder.0.join("far"));
        symlink("large/file", &near).unwrap();
        symlink(&near, &far).unwrap();
        for content in [b"first", b"again"] {
            atomic_write(&far, |target| target.write_all(content)).unwrap();
            assert_eq!(fs::read(&file).unwrap(), content);
            assert_eq!(fs::read_link(&near).unwrap(), Path::new("large/file"));
            assert_eq!(fs::read_link(&far).unwrap(), near);
        }
        assert_eq!(folder.names(), ["far", "large", "near"]);
        // The folder that a link leads to must be there, and a circle leads nowhere.
        let (lost, one, other) = (folder.0.join("lost"), folder.0.join("one"), folder.0.join("other"));
        symlink("missing/file", &lost).unwrap();
        assert!(atomic_write(&lost, |_| Ok(())).is_err() && fs::read_link(&lost).is_ok());
        symlink("other", &one).unwrap();
        symlink("one", &other).unwrap();
        let failed = atomic_write(&one, |_| Ok(())).unwrap_err().to_string();
        assert!(failed.ends_with("its symbolic links lead in a circle"), "{failed}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn devices_and_open_files_are_written_through() {
        use std::os::fd::AsRawFd;
        atomic_write(Path::new("/dev/null"), |file| file.write_all(b"gone")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        assert!(atomic_write(Path::new("/dev/full"), |file| file.write_all(b"no room")).is_err());

        let folder = Folder::new("open");
        let path = folder.0.join("shell.txt");
        let mut shell = File::create(&path).unwrap();
        shell.write_all(b"before ").unwrap();
        let open = PathBuf::from(format!("/dev/fd/{}", shell.as_raw_fd()));
        atomic_write(&open, |file| file.write_all(b"after")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"before after");
    }
}
