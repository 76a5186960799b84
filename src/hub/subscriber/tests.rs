use super::*;
use crate::hub::ChannelState;
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
    match hub.publish_to(&name("a"), "message", data.to_owned()).unwrap().0 {
        EventId::Number(number) => number,
        EventId::Entry(..) => panic!("this is a channel of our own"),
    }
}

fn subscribe(hub: &Arc<Hub>, name: ChannelName) -> Subscriber {
    Subscriber::new(hub, name, Last::Now).unwrap()
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
    let mut subscriber = subscribe(&hub, name("a"));
    let mut other = subscribe(&hub, name("b"));
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
    let listen = |last| Subscriber::new(&hub, name("a"), Last::Event(EventId::Number(last))).unwrap();
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
    let mut slow = subscribe(&hub, name("a"));
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
    let mut slow: Vec<_> = names.iter().map(|name| subscribe(&hub, name.clone())).collect();
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
    let listening: Vec<_> = (0..CHANNELS - 1).map(|number| subscribe(&hub, name(&number.to_string()))).collect();
    for name in ["x", "y", "z"] {
        assert!(hub.publish_to(&self::name(name), "message", String::new()).is_ok());
    }
    let idle = hub.channels().into_iter().filter(|channel| channel.listeners == 0);
    assert_eq!(idle.map(|channel| channel.name).collect::<Vec<_>>(), [name("z")]);
    let last = subscribe(&hub, name("z"));
    assert!(Subscriber::new(&hub, name("one too many"), Last::Now).is_err());
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

fn entry(number: u64) -> ChannelEvent {
    ChannelEvent { id: EventId::Entry(1000, number), name: "message".into(), data: number.to_string() }
}

fn relayed() -> Arc<Hub> {
    let hub = hub();
    hub.relay_channels(|_| {});
    hub
}

#[test]
fn what_comes_from_elsewhere_is_waited_for() {
    let hub = relayed();
    let listen = |last| Subscriber::new(&hub, name("a"), last).unwrap();
    let after = |number| Last::Event(EventId::Entry(1000, number));
    let mut early = [Last::Now, after(1), after(2), after(4), after(9), Last::Unknown].map(listen);
    early.iter_mut().for_each(|subscriber| expect(subscriber, &[]));
    assert!(early[0].ready().now_or_never().is_none());
    assert_eq!(hub.channel_state(&name("a")), Some(ChannelState { listeners: 6, is_known: false }));
    hub.fill(&name("a"), Some(EventId::Entry(1000, 2)), vec![entry(3), entry(4)]);
    assert!(early[0].ready().now_or_never().is_some());
    hub.hear(&name("a"), false, vec![entry(5)]);
    let heard: [&[&str]; 6] =
        [&["5"], &["gap", "3", "4", "5"], &["3", "4", "5"], &["5"], &["gap", "3", "4", "5"], &["gap", "3", "4", "5"]];
    let mut late = listen(Last::Now);
    let [mut now, rest @ ..] = early;
    expect(&mut now, heard[0]);
    for (mut subscriber, heard) in rest.into_iter().zip(&heard[1..]) {
        expect(&mut subscriber, heard);
    }
    hub.hear(&name("a"), false, vec![entry(6)]);
    expect(&mut late, &["6"]);
    expect(&mut now, &["6"]);
    // Nobody knows what was lost. Who has heard one before that gets all that there is.
    hub.hear(&name("a"), true, vec![entry(9)]);
    expect(&mut late, &["gap", "9"]);
    expect(&mut listen(after(5)), &["6", "gap", "9"]);
    expect(&mut listen(after(8)), &["gap", "3", "4", "5", "6", "gap", "9"]);
    // The gap is not forgotten before those who have to hear of it.
    let numbers = 10..10 + HISTORY as u64 - 1;
    hub.hear(&name("a"), false, numbers.clone().map(entry).collect());
    expect(
        &mut listen(after(6)),
        &[
            &["gap", "9"][..],
            &numbers.map(|n| n.to_string()).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>(),
        ]
        .concat(),
    );
    drop((late, now));
    assert_eq!(hub.channel_state(&name("a")), None);
    assert!(hub.channels().is_empty());
}
