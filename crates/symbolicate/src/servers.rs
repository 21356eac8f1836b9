//! Public symbol servers that a project can name by an id.

use crate::layout::{Casing, Layout};

/// A public server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Server {
    /// Its id in settings.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Where it is.
    pub url: &'static str,
    /// How it sorts its files.
    pub layout: Layout,
    /// Its letters.
    pub casing: Casing,
    /// It wants to be told the checksum of the file.
    pub checksum: bool,
}

const fn server(
    id: &'static str,
    name: &'static str,
    url: &'static str,
    layout: Layout,
    casing: Casing,
) -> Server {
    Server {
        id,
        name,
        url,
        layout,
        casing,
        checksum: false,
    }
}

/// All of them.
pub const SERVERS: &[Server] = &[
    server(
        "microsoft",
        "Microsoft",
        "https://msdl.microsoft.com/download/symbols/",
        Layout::Symstore,
        Casing::Default,
    ),
    // Without the checksum it answers 403 to everything.
    Server {
        checksum: true,
        ..server(
            "nuget",
            "NuGet.org",
            "https://symbols.nuget.org/download/symbols/",
            Layout::Ssqp,
            Casing::Default,
        )
    },
    server(
        "citrix",
        "Citrix",
        "https://ctxsym.citrix.com/symbols/",
        Layout::Symstore,
        Casing::Default,
    ),
    server(
        "intel",
        "Intel",
        "https://software.intel.com/sites/downloads/symbols/",
        Layout::Symstore,
        Casing::Default,
    ),
    server(
        "amd",
        "AMD",
        "https://download.amd.com/dir/bin/",
        Layout::Symstore,
        Casing::Default,
    ),
    server(
        "nvidia",
        "NVIDIA",
        "https://driver-symbols.nvidia.com/",
        Layout::Symstore,
        Casing::Default,
    ),
    server(
        "chromium",
        "Google Chrome",
        "https://chromium-browser-symsrv.commondatastorage.googleapis.com/",
        Layout::Symstore,
        Casing::Default,
    ),
    server(
        "unity",
        "Unity",
        "http://symbolserver.unity3d.com/",
        Layout::Symstore,
        Casing::Default,
    ),
    server(
        "mozilla",
        "Mozilla",
        "https://symbols.mozilla.org/",
        Layout::Symstore,
        Casing::Default,
    ),
    server(
        "autodesk",
        "Autodesk",
        "http://symbols.autodesk.com/",
        Layout::Symstore,
        Casing::Default,
    ),
    server(
        "electron",
        "Electron",
        "https://symbols.electronjs.org/",
        Layout::Native,
        Casing::Lowercase,
    ),
    server(
        "elfutils",
        "debuginfod of elfutils, for many distributions",
        "https://debuginfod.elfutils.org/",
        Layout::Debuginfod,
        Casing::Default,
    ),
    server(
        "debian",
        "Debian",
        "https://debuginfod.debian.net/",
        Layout::Debuginfod,
        Casing::Default,
    ),
    server(
        "ubuntu",
        "Ubuntu",
        "https://debuginfod.ubuntu.com/",
        Layout::Debuginfod,
        Casing::Default,
    ),
    server(
        "fedora",
        "Fedora",
        "https://debuginfod.fedoraproject.org/",
        Layout::Debuginfod,
        Casing::Default,
    ),
    server(
        "archlinux",
        "Arch Linux",
        "https://debuginfod.archlinux.org/",
        Layout::Debuginfod,
        Casing::Default,
    ),
    server(
        "opensuse",
        "openSUSE",
        "https://debuginfod.opensuse.org/",
        Layout::Debuginfod,
        Casing::Default,
    ),
];

/// A server by its id.
pub fn named(id: &str) -> Option<&'static Server> {
    SERVERS.iter().find(|s| s.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_apart_and_addresses_end_in_a_slash() {
        for (place, server) in SERVERS.iter().enumerate() {
            assert!(
                SERVERS[..place].iter().all(|s| s.id != server.id),
                "{}",
                server.id
            );
            assert!(
                server.url.starts_with("http") && server.url.ends_with('/'),
                "{}",
                server.url
            );
            assert_eq!(named(server.id), Some(server));
        }
        assert_eq!(named("ios"), None);
    }
}
