//! Snapshots → followers. Knows the newest snapshot of everything that is followed, and who has still to get it.
//!
//! The hub has the one shared lock. It is held for a few lines, and no code panics or waits while holding it.

mod channels;
mod closing;
mod event_id;
mod follower;
mod interest;
mod latencies;
mod needs;
mod overview;
mod published;
mod relayed;
mod report;
mod stats;
mod subscriber;
mod tail_follower;
mod tails;
mod topics;
mod waiters;

pub use crate::hub::channels::ChannelEvent;
pub use crate::hub::channels::ChannelName;
pub use crate::hub::channels::ChannelStats;
pub use crate::hub::channels::EVENT_DATA;
pub use crate::hub::channels::TooManyChannels;
pub use crate::hub::event_id::EventId;
pub use crate::hub::follower::Follower;
pub use crate::hub::interest::Interest;
pub use crate::hub::interest::Known;
pub use crate::hub::latencies::BOUNDS;
pub use crate::hub::latencies::Latencies;
pub use crate::hub::needs::Need;
pub use crate::hub::overview::Followed;
pub use crate::hub::published::Original;
pub use crate::hub::published::Published;
pub use crate::hub::published::Value;
pub use crate::hub::relayed::ChannelState;
pub use crate::hub::report::Report;
pub use crate::hub::stats::Stats;
pub use crate::hub::subscriber::ChannelDelivery;
pub use crate::hub::subscriber::Last;
pub use crate::hub::subscriber::Subscriber;
pub use crate::hub::tail_follower::TailFollower;
pub use crate::hub::tails::Extent;
pub use crate::hub::tails::Generation;
pub use crate::hub::tails::Generations;
pub use crate::hub::tails::Grown;
pub use crate::hub::tails::TailEvent;
pub use crate::hub::topics::Delivery;
pub use crate::hub::topics::Hub;
pub use crate::hub::topics::Ticket;
pub use crate::hub::topics::WatchRequest;
