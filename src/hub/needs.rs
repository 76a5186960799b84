//! What the followers of a path need besides what all of them share, so that it is made once, where the file is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::content::pointer::Pointer;

/// What a follower needs of a document, besides the update itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    #[default]
    Nothing,
    /// One value.
    Value(Arc<Pointer>),
    /// What has changed.
    Patch,
    /// The file as it is on disk.
    Original,
}

/// The needs of all followers of a path. Each brings one, so there are not more than followers.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pointers: BTreeMap<Arc<Pointer>, usize>,
    /// The pointers as a list, until they are others.
    list: Option<Arc<[Arc<Pointer>]>>,
    patches: usize,
    originals: usize,
}

/// What is needed at the time of a look.
#[derive(Clone, Debug, Default)]
pub(super) struct Needed {
    /// Sorted, each once.
    pub(super) pointers: Arc<[Arc<Pointer>]>,
    pub(super) patch: bool,
    pub(super) original: bool,
}

impl Needs {
    pub(super) fn add(&mut self, need: &Need) {
        match need {
            Need::Nothing => {}
            Need::Value(pointer) => {
                let count = self.pointers.entry(pointer.clone()).or_default();
                *count += 1;
                if *count == 1 {
                    self.list = None;
                }
            }
            Need::Patch => self.patches += 1,
            Need::Original => self.originals += 1,
        }
    }

    pub(super) fn remove(&mut self, need: &Need) {
        match need {
            Need::Nothing => {}
            Need::Value(pointer) => {
                if let Some(count) = self.pointers.get_mut(pointer) {
                    *count -= 1;
                    if *count == 0 {
                        self.pointers.remove(pointer);
                        self.list = None;
                    }
                }
            }
            Need::Patch => self.patches -= 1,
            Need::Original => self.originals -= 1,
        }
    }

    pub(super) fn needed(&mut self) -> Needed {
        let pointers = self.list.get_or_insert_with(|| self.pointers.keys().cloned().collect());
        Needed { pointers: pointers.clone(), patch: self.patches > 0, original: self.originals > 0 }
    }
}
