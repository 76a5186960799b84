//! Which file systems are of other machines.

use std::path::Path;

/// The name of the file system that a directory is on, if changes made by others reach it without the system's knowing.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[must_use]
pub fn remote_file_system(directory: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(directory).ok()?.f_type;
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of 32 bits, often in a wider field"
    )]
    let magic = kind as u32;
    // statfs(2), and the kernel's magic.h. FUSE is also virtiofs, sshfs and the file sharing of virtual machines.
    Some(match magic {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x0102_1997 => "9P",
        0x6573_5546 => "FUSE",
        0x00c3_6400 => "Ceph",
        0x5346_414f => "AFS",
        0x7375_7245 => "Coda",
        0x0bd0_0bd0 => "Lustre",
        0x786f_4256 => "VirtualBox shared folders",
        0xbacb_acbc => "VMware shared folders",
        _ => return None,
    })
}

/// The name of the file system that a directory is on, if changes made by others reach it without the system's knowing.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[must_use]
pub fn remote_file_system(_: &Path) -> Option<&'static str> {
    // What a share sends to macOS and Windows, they pass on; where it doesn't, there is `--poll`.
    None
}
