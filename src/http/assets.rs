//! Style and script of the pages, each under a name that changes with it.

use std::sync::LazyLock;

/// A file that pages use.
pub(super) struct Asset {
    /// Its name with its hash.
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) text: &'static str,
}

pub(super) static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style", "css", "text/css; charset=utf-8", include_str!("assets/style.css")));
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("app", "js", "text/javascript; charset=utf-8", include_str!("assets/app.js"))
});

pub(super) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("assets/icon.svg")));

impl Asset {
    fn new(name: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        let hash = blake3::hash(text.as_bytes()).to_hex();
        let name = format!("{name}-{}.{ending}", hash.get(..12).unwrap_or_default());
        Self { name, kind, text }
    }
}
