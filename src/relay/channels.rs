//! Channels that are shared: what is heard here is told to the hub, whatever happens in between.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Arc;

use crate::hub::ChannelName;
use crate::hub::Hub;
use crate::relay::chain::After;
use crate::relay::chain::Chain;
use crate::relay::chain::Step;
use crate::relay::entry::Entry;
use crate::relay::link::Link;
use crate::relay::link::LinkError;

/// How many channels are asked for at once.
const BATCH: usize = 100;

/// The channels that somebody listens to here.
pub(super) struct Channels {
    hub: Arc<Hub>,
    instance: String,
    /// What was heard of each that is known to the hub. It outlives connections.
    chains: HashMap<ChannelName, Chain>,
    /// Those whose events are told by this connection.
    heard: BTreeSet<ChannelName>,
    /// How many listen, where that has still to be said.
    counts: BTreeMap<ChannelName, usize>,
}

impl Channels {
    pub(super) fn new(hub: Arc<Hub>, instance: String) -> Self {
        Self { hub, instance, chains: HashMap::new(), heard: BTreeSet::new(), counts: BTreeMap::new() }
    }

    /// Begins with a new connection: what was told in between is asked for.
    pub(super) async fn begin(&mut self, link: &mut Link) -> Result<(), LinkError> {
        self.heard.clear();
        self.counts.clear();
        let mut names = self.hub.heard_channels();
        // Also those whose last listener has left meanwhile: the hub still remembers what they had before.
        names.extend(self.chains.keys().cloned());
        self.settle(link, names).await
    }

    /// Listeners of these channels have come or gone.
    pub(super) async fn settle(&mut self, link: &mut Link, names: BTreeSet<ChannelName>) -> Result<(), LinkError> {
        let (mut left, mut opened) = (Vec::new(), Vec::new());
        for name in names {
            match self.hub.channel_state(&name) {
                None => {
                    self.chains.remove(&name);
                    if self.heard.remove(&name) {
                        self.counts.insert(name.clone(), 0);
                        left.push(name);
                    }
                }
                Some(state) => {
                    self.counts.insert(name.clone(), state.listeners);
                    if !state.is_known {
                        self.chains.remove(&name);
                    }
                    if !state.is_known || !self.heard.contains(&name) {
                        opened.push(name);
                    }
                }
            }
        }
        if !left.is_empty() {
            link.leave(&left).await?;
        }
        for names in opened.chunks(BATCH) {
            // First it listens, and then it asks, so that nothing is lost between the two.
            link.listen(names).await?;
            self.heard.extend(names.iter().cloned());
            self.count(link).await?;
            let wanted = names.iter().map(|name| (name.clone(), self.chains.get(name).and_then(Chain::last)));
            let wanted = wanted.collect::<Vec<_>>();
            let found = link.events(&wanted).await?;
            for (name, entries) in names.iter().zip(found) {
                self.found(link, name, entries).await?;
            }
        }
        Ok(())
    }

    /// Redis tells of an event.
    pub(super) async fn hear(&mut self, link: &mut Link, name: &ChannelName, entry: Entry) -> Result<(), LinkError> {
        let Some(chain) = self.chains.get_mut(name) else { return Ok(()) };
        match chain.step(&entry) {
            Step::Take => self.hub.hear(name, false, vec![entry.event]),
            Step::Skip => {}
            Step::Ask => {
                let found = link.events(&[(name.clone(), chain.last())]).await?;
                for entries in found {
                    self.found(link, name, entries).await?;
                }
            }
        }
        Ok(())
    }

    /// These are the events from the last one on that was heard, or all of a channel of which nothing was.
    async fn found(&mut self, link: &mut Link, name: &ChannelName, entries: Vec<Entry>) -> Result<(), LinkError> {
        let events = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.event).collect();
        let Some(chain) = self.chains.get_mut(name) else {
            let mut chain = Chain::default();
            let before = chain.begin(&entries);
            self.chains.insert(name.clone(), chain);
            self.hub.fill(name, before, events(entries));
            return Ok(());
        };
        match chain.after(entries) {
            After::Whole(entries) if entries.is_empty() => {}
            After::Whole(entries) => self.hub.hear(name, false, events(entries)),
            After::Broken => {
                let all = link.events(&[(name.clone(), None)]).await?;
                let new = chain.mend(all.into_iter().flatten().collect());
                self.hub.hear(name, true, events(new));
            }
        }
        Ok(())
    }

    /// Whether it has still to be said how many listen.
    pub(super) fn has_counts(&self) -> bool {
        !self.counts.is_empty()
    }

    /// Says how many listen, where that has changed.
    pub(super) async fn count(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let counts = std::mem::take(&mut self.counts).into_iter().collect::<Vec<_>>();
        let counted = link.count(&self.instance, &counts).await;
        if counted.is_err() {
            // It is said later.
            self.counts = counts.into_iter().collect();
        }
        counted
    }

    /// Says that this instance is there; and how many listen, if Redis does not know it any more.
    pub(super) async fn stay(&mut self, link: &mut Link) -> Result<(), LinkError> {
        if !link.stay(&self.instance).await? && !self.heard.is_empty() {
            let state = |name: &ChannelName| Some((name.clone(), self.hub.channel_state(name)?.listeners));
            self.counts = self.heard.iter().filter_map(state).collect();
            self.count(link).await?;
        }
        Ok(())
    }

    /// Has Redis keep the channels that somebody listens to.
    pub(super) async fn keep(&mut self, link: &mut Link) -> Result<(), LinkError> {
        let names = self.heard.iter().cloned().collect::<Vec<_>>();
        if names.is_empty() { Ok(()) } else { link.keep(&names).await }
    }

    /// Says that this instance is gone.
    pub(super) async fn end(&mut self, link: &mut Link) -> Result<(), LinkError> {
        link.go(&self.instance).await
    }
}
