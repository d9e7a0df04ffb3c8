//! Files below directories, served without Python: ranges, validators, precompressed siblings.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use plectrum_http::file::Opened;
use plectrum_http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, RANGE, VARY,
};
use plectrum_http::{HeaderMap, Reply, Request, Response, StatusCode, accept, mime, problem};
use serde::Deserialize;

use crate::endpoint::{Call, Endpoint};

/// Codings of siblings, best first: `style.css.br` beside `style.css`.
const CODINGS: [(&str, &str); 3] = [("br", "br"), ("zstd", "zst"), ("gzip", "gz")];

/// A part of the address space that is files.
#[derive(Debug, Clone, Deserialize)]
pub struct Static {
    /// Where it begins, without a slash at its end.
    pub path: String,
    /// Where the files are; the first directory that has one wins.
    pub directories: Vec<PathBuf>,
    /// File that stands for its directory.
    pub index: Option<String>,
    /// Value of `Cache-Control`.
    pub cache_control: Option<String>,
    /// Whether compressed siblings are looked for.
    pub precompressed: bool,
    /// Whether links may lead out of the directory.
    pub follow_symlinks: bool,
}

/// Endpoints and the patterns they are for.
type Mounted = Vec<(String, Rc<dyn Endpoint>)>;

/// Endpoints of a mount.
///
/// # Errors
/// A sentence for the user: a directory that is not there, a header value that is none.
pub(crate) fn endpoints(mount: &Static) -> Result<Mounted, String> {
    let files: Rc<dyn Endpoint> = Rc::new(Files(Arc::new(Tree::of(mount)?)));
    let path = mount.path.trim_end_matches('/');
    Ok(vec![(format!("{path}/{{path:path}}"), Rc::clone(&files)), (format!("{path}/"), files)])
}

struct Files(Arc<Tree>);

/// What is known of a mount since the start.
struct Tree {
    /// Without links on their way.
    roots: Vec<PathBuf>,
    index: Option<String>,
    cache: Option<HeaderValue>,
    precompressed: bool,
    follow_symlinks: bool,
}

/// What was found under a name.
enum Found {
    /// A file, and its headers.
    File(Opened, HeaderMap),
    /// A directory with an index, asked for without its slash.
    Directory,
}

/// What matters of a request.
#[derive(Clone, Copy)]
struct Wanted {
    slash: bool,
    codings: [bool; 3],
}

impl Endpoint for Files {
    fn call(&self, call: Box<Call>) -> Reply {
        let name = call.path_value(0).unwrap_or_default().to_owned();
        let tree = Arc::clone(&self.0);
        let Call { request, .. } = *call;
        let wanted = Wanted::of(&request, tree.precompressed);
        Reply::pending(async move {
            // Disks may be slow: not on the runtime's thread.
            let found = tokio::task::spawn_blocking(move || tree.find(&name, wanted)).await;
            match found.map_err(io::Error::other).and_then(|found| found) {
                Ok(Found::File(opened, head)) => opened.respond(&request.method, &request.headers, head),
                Ok(Found::Directory) => with_slash(&request),
                Err(error) => refused(&error, request.path()),
            }
        })
    }
}

impl Wanted {
    fn of(request: &Request, precompressed: bool) -> Self {
        // Ranges are of the file itself, for every client the same.
        let compressed = precompressed && !request.headers.contains_key(RANGE);
        let takes = |coding| compressed && accept::takes_encoding(&request.headers, coding);
        Self { slash: request.path().ends_with('/'), codings: CODINGS.map(|(coding, _)| takes(coding)) }
    }
}

impl Tree {
    fn of(mount: &Static) -> Result<Self, String> {
        let root = |directory: &PathBuf| {
            let known = directory.canonicalize().ok().filter(|path| path.is_dir());
            known.ok_or_else(|| format!("static files: there is no directory {}", directory.display()))
        };
        let cache = mount.cache_control.as_deref().map(HeaderValue::from_str).transpose();
        Ok(Self {
            roots: mount.directories.iter().map(root).collect::<Result<_, _>>()?,
            index: mount.index.clone(),
            cache: cache
                .map_err(|_| "static files: cache_control cannot be the value of a header".to_owned())?,
            precompressed: mount.precompressed,
            follow_symlinks: mount.follow_symlinks,
        })
    }

    /// Looks for a name in every root. Blocks.
    fn find(&self, name: &str, wanted: Wanted) -> io::Result<Found> {
        let relative = plain(name).ok_or(io::ErrorKind::NotFound)?;
        let mut last = io::ErrorKind::NotFound.into();
        for root in &self.roots {
            match self.open(root, &root.join(&relative), wanted) {
                Ok(found) => return Ok(found),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn open(&self, root: &Path, path: &Path, wanted: Wanted) -> io::Result<Found> {
        let path = self.inside(root, path)?;
        if !path.is_dir() {
            return self.file(root, &path, wanted);
        }
        let Some(index) = &self.index else { return Err(io::ErrorKind::NotFound.into()) };
        let index = self.inside(root, &path.join(index))?;
        // Without the slash, links in the page would lead elsewhere.
        if wanted.slash { self.file(root, &index, wanted) } else { Ok(Found::Directory) }
    }

    fn file(&self, root: &Path, path: &Path, wanted: Wanted) -> io::Result<Found> {
        let mut head = HeaderMap::new();
        head.insert(CONTENT_TYPE, HeaderValue::from_static(mime::of(path)));
        if let Some(cache) = &self.cache {
            head.insert(CACHE_CONTROL, cache.clone());
        }
        if self.precompressed {
            head.insert(VARY, HeaderValue::from_static(ACCEPT_ENCODING.as_str()));
        }
        for ((coding, extension), taken) in CODINGS.into_iter().zip(wanted.codings) {
            if !taken {
                continue;
            }
            let mut sibling = path.as_os_str().to_owned();
            sibling.push(".");
            sibling.push(extension);
            if let Ok(opened) = self.inside(root, Path::new(&sibling)).and_then(|path| Opened::open(&path)) {
                head.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
                return Ok(Found::File(opened, head));
            }
        }
        Ok(Found::File(Opened::open(path)?, head))
    }

    /// The path without links, which must not have led out of its root unless they may.
    fn inside(&self, root: &Path, path: &Path) -> io::Result<PathBuf> {
        let real = path.canonicalize()?;
        if self.follow_symlinks || real.starts_with(root) {
            Ok(real)
        } else {
            Err(io::ErrorKind::NotFound.into())
        }
    }
}

/// A name as a path that stays below where it is joined to; hidden files are not found, but for `.well-known`.
fn plain(name: &str) -> Option<PathBuf> {
    if name.contains(['\0', '\\']) {
        return None;
    }
    let path = Path::new(name);
    let shown = path.components().all(|part| match part {
        Component::Normal(part) => part == ".well-known" || !part.as_encoded_bytes().starts_with(b"."),
        _ => false,
    });
    shown.then(|| path.to_path_buf())
}

fn with_slash(request: &Request) -> Response {
    let mut response = problem::of(StatusCode::PERMANENT_REDIRECT);
    let query = request.uri.query().map_or_else(String::new, |query| format!("?{query}"));
    match HeaderValue::try_from(format!("{}/{query}", request.path())) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => problem::of(StatusCode::NOT_FOUND),
    }
}

/// What is not there and what must not be seen are told alike.
fn refused(error: &io::Error, path: &str) -> Response {
    use io::ErrorKind::{InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound | PermissionDenied | NotADirectory | IsADirectory | InvalidFilename => {
            problem::of(StatusCode::NOT_FOUND)
        }
        _ => {
            tracing::error!(target: "plectrum.request", "{path}: {error}");
            problem::of(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}
