use super::*;
use crate::hub::channels::CHANNELS;
use crate::hub::channels::Channel;
use crate::hub::channels::EVENT;
use crate::hub::channels::HISTORY;
use crate::hub::channels::HISTORY_BYTES;
use crate::hub::channels::TOTAL_BYTES;
use futures::FutureExt;
use std::future::poll_fn;

fn hub() -> Arc<Hub> {
    Hub::new(|_| {}, |_| {})
}

fn name(name: &str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

fn publish(hub: &Hub, data: &str) -> u64 {
    hub.publish_to(&name("a"), "message", data.to_owned()).unwrap().0
}

/// All that the subscriber is sent now.
#[track_caller]
fn expect(subscriber: &mut Subscriber, expected: &[&str]) {
    let heard = std::iter::from_fn(|| poll_fn(|context| subscriber.poll_next(context)).now_or_never().flatten());
    let heard = heard.map(|heard| match heard {
        ChannelDelivery::Event(event) => event.data.clone(),
        ChannelDelivery::Gap => "gap".to_owned(),
    });
    assert_eq!(heard.collect::<Vec<_>>(), expected);
}

#[test]
fn those_who_listen_hear_what_comes() {
    let hub = hub();
    publish(&hub, "before");
    let mut subscriber = Subscriber::new(&hub, name("a"), None).unwrap();
    let mut other = Subscriber::new(&hub, name("b"), None).unwrap();
    assert_eq!(hub.publish_to(&name("a"), "count", "1".into()).unwrap().1, 1);
    publish(&hub, "2");
    expect(&mut subscriber, &["1", "2"]);
    expect(&mut other, &[]);
    expect(&mut subscriber, &[]);
}

#[test]
fn who_comes_back_hears_what_it_has_missed() {
    let hub = hub();
    let first = publish(&hub, "1");
    let second = publish(&hub, "2");
    assert_eq!(second, first + 1);
    let listen = |last| Subscriber::new(&hub, name("a"), Some(last)).unwrap();
    expect(&mut listen(second), &[]);
    expect(&mut listen(first), &["2"]);
    expect(&mut listen(first - 1), &["1", "2"]);
    // Of a server before this one, and of one with another clock.
    expect(&mut listen(first - 2), &["gap", "1", "2"]);
    expect(&mut listen(u64::MAX), &["gap", "1", "2"]);
}

#[test]
fn history_is_bounded_and_who_is_too_slow_hears_of_a_gap() {
    let hub = hub();
    let mut slow = Subscriber::new(&hub, name("a"), None).unwrap();
    for number in 0..=HISTORY {
        publish(&hub, &number.to_string());
    }
    let expected: Vec<_> = (1..=HISTORY).map(|number| number.to_string()).collect();
    let expected: Vec<_> = std::iter::once("gap").chain(expected.iter().map(String::as_str)).collect();
    expect(&mut slow, &expected);
    let large = "x".repeat(HISTORY_BYTES);
    publish(&hub, "small");
    publish(&hub, &large);
    expect(&mut slow, &["gap", &large]);
}

#[test]
fn all_channels_together_are_bounded_whoever_listens() {
    let hub = hub();
    let names: Vec<_> = (0..100).map(|number| name(&number.to_string())).collect();
    let mut slow: Vec<_> = names.iter().map(|name| Subscriber::new(&hub, name.clone(), None).unwrap()).collect();
    let large = "x".repeat(HISTORY_BYTES - EVENT - 100);
    for name in &names {
        hub.publish_to(name, "message", large.clone()).unwrap();
    }
    let check = |hub: &Hub| {
        let state = hub.state();
        let (channels, bytes) = (&state.channels, |channel: &Channel| channel.bytes);
        assert_eq!(channels.bytes, channels.by_name.values().map(bytes).sum::<usize>());
        assert_eq!(channels.order.len(), channels.by_name.values().map(|channel| channel.events.len()).sum::<usize>());
        assert!(channels.bytes <= TOTAL_BYTES);
    };
    check(&hub);
    // The first ones have lost theirs, the last ones have not.
    expect(&mut slow[0], &["gap"]);
    expect(&mut slow[99], &[&large]);
    // Small ones push the large ones out, too.
    for number in 0..50 {
        for name in &names {
            hub.publish_to(name, "message", number.to_string()).unwrap();
        }
    }
    check(&hub);
    expect(
        &mut slow[0],
        &(0..50).map(|n| n.to_string()).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>(),
    );
    drop(slow);
    for number in 0..CHANNELS {
        hub.publish_to(&name(&format!("new {number}")), "message", "1".into()).unwrap();
    }
    check(&hub);
}

#[test]
fn channels_that_nobody_uses_make_room() {
    let hub = hub();
    let listening: Vec<_> =
        (0..CHANNELS - 1).map(|number| Subscriber::new(&hub, name(&number.to_string()), None).unwrap()).collect();
    for name in ["x", "y", "z"] {
        assert!(hub.publish_to(&self::name(name), "message", String::new()).is_ok());
    }
    let idle = hub.channels().into_iter().filter(|channel| channel.listeners == 0);
    assert_eq!(idle.map(|channel| channel.name).collect::<Vec<_>>(), [name("z")]);
    let last = Subscriber::new(&hub, name("z"), None).unwrap();
    assert!(Subscriber::new(&hub, name("one too many"), None).is_err());
    drop((listening, last));
    assert_eq!(hub.channels().len(), 1);
}

#[test]
fn names_are_short_and_plain() {
    for (text, is_name) in [("a", true), ("users/42", true), ("é ?", true), ("", false), ("a\nb", false)] {
        assert_eq!(ChannelName::new(text).is_some(), is_name, "{text}");
    }
    assert!(ChannelName::new(&"x".repeat(201)).is_none());
}
