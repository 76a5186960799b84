//! How much one address may have at once, and in a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;
use std::time::Instant;

use actix_web::Error;
use actix_web::HttpResponse;
use actix_web::body::BodySize;
use actix_web::body::EitherBody;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::dev::ServiceResponse;
use actix_web::http::header;
use actix_web::http::header::HeaderMap;
use actix_web::middleware::Next;
use actix_web::web::Bytes;

use crate::config::Limits;

/// Of how many addresses is known what they have had.
const ADDRESSES: usize = 100_000;

/// What each address has, and what it may have.
pub(super) struct Quota {
    limits: Limits,
    start: Instant,
    clients: Mutex<HashMap<IpAddr, Client>>,
}

/// What an address has.
#[derive(Clone, Copy, Debug, Default)]
struct Client {
    /// Its requests that are under way.
    open: usize,
    /// How many bytes it was sent in this minute.
    bytes: u64,
    minute: u64,
}

impl Quota {
    /// `None` if there are no limits.
    pub(super) fn new(limits: &Limits) -> Option<Arc<Self>> {
        let is_limited = limits.requests.is_some() || limits.bytes.is_some();
        is_limited.then(|| {
            Arc::new(Self { limits: limits.clone(), start: Instant::now(), clients: Mutex::new(HashMap::new()) })
        })
    }

    /// Counts one more request of this address; `Err` with the seconds after which it may ask again, if it has too much.
    fn enter(&self, address: IpAddr) -> Result<(), u64> {
        let (mut clients, now) = (self.clients(), self.start.elapsed().as_secs());
        if clients.len() >= ADDRESSES && !clients.contains_key(&address) {
            clients.retain(|_, client| client.open > 0);
        }
        let client = clients.entry(address).or_default();
        client.turn_to(now / 60);
        if self.limits.bytes.is_some_and(|bytes| client.bytes >= bytes) {
            return Err(60 - now % 60);
        }
        if self.limits.requests.is_some_and(|requests| client.open >= requests) {
            return Err(1);
        }
        client.open += 1;
        Ok(())
    }

    fn sent(&self, address: IpAddr, bytes: usize) {
        if let Some(client) = self.clients().get_mut(&address) {
            client.turn_to(self.start.elapsed().as_secs() / 60);
            client.bytes += bytes as u64;
        }
    }

    fn leave(&self, address: IpAddr) {
        if let Some(client) = self.clients().get_mut(&address) {
            client.open -= 1;
        }
    }

    /// No code panics while it holds this lock, so a poisoned lock is still whole.
    fn clients(&self) -> MutexGuard<'_, HashMap<IpAddr, Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    fn turn_to(&mut self, minute: u64) {
        if self.minute != minute {
            (self.minute, self.bytes) = (minute, 0);
        }
    }
}

/// Refuses what is too much for one address.
pub(super) async fn check<B: MessageBody + 'static>(
    quota: Arc<Quota>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<Counted<B>>>, Error> {
    let Some(peer) = request.peer_addr() else {
        return Ok(request.into_response(HttpResponse::BadRequest().finish()).map_into_right_body());
    };
    let address = client_of(peer.ip(), request.headers(), &quota.limits.proxies);
    if let Err(seconds) = quota.enter(address) {
        let mut refusal = HttpResponse::TooManyRequests();
        refusal.insert_header((header::RETRY_AFTER, seconds.to_string()));
        let refusal = refusal.body("this is too much for one address: try again later\n");
        return Ok(request.into_response(refusal).map_into_right_body());
    }
    let entry = Entry { quota, address };
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| EitherBody::left(Counted { body: Box::pin(body), entry })))
}

/// Whom a request is of: of what a proxy that is trusted has said, the last that is no such proxy. Of IPv6, the network of a
/// household, which has as many addresses as it likes (RFC 6177).
fn client_of(peer: IpAddr, headers: &HeaderMap, proxies: &[IpAddr]) -> IpAddr {
    let mut client = peer.to_canonical();
    let named = headers.get_all(header::X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    let named = named.flat_map(|value| value.split(',')).collect::<Vec<_>>();
    for name in named.into_iter().rev() {
        if !proxies.contains(&client) {
            break;
        }
        let Ok(address) = name.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

/// A request that is under way.
struct Entry {
    quota: Arc<Quota>,
    address: IpAddr,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.quota.leave(self.address);
    }
}

/// A body whose bytes are counted.
pub(super) struct Counted<B> {
    body: Pin<Box<B>>,
    entry: Entry,
}

impl<B: MessageBody> MessageBody for Counted<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let part = self.body.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(bytes))) = &part {
            self.entry.quota.sent(self.entry.address, bytes.len());
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn only_proxies_that_are_trusted_are_believed() {
        let mut headers = HeaderMap::new();
        for value in ["6.6.6.6, 1.2.3.4", "10.0.0.2"] {
            headers.append(header::X_FORWARDED_FOR, HeaderValue::from_static(value));
        }
        let of = |peer: &str, proxies: &[&str]| {
            let proxies = proxies.iter().map(|proxy| address(proxy)).collect::<Vec<_>>();
            client_of(address(peer), &headers, &proxies).to_string()
        };
        assert_eq!(of("9.9.9.9", &[]), "9.9.9.9");
        assert_eq!(of("9.9.9.9", &["10.0.0.1"]), "9.9.9.9");
        assert_eq!(of("10.0.0.1", &["10.0.0.1"]), "10.0.0.2");
        assert_eq!(of("::ffff:10.0.0.1", &["10.0.0.1", "10.0.0.2"]), "1.2.3.4");
        assert_eq!(of("2001:db8::1:2:3:4", &[]), "2001:db8::");
        headers.insert(header::X_FORWARDED_FOR, HeaderValue::from_static("nonsense"));
        assert_eq!(client_of(address("10.0.0.1"), &headers, &[address("10.0.0.1")]), address("10.0.0.1"));
    }

    #[test]
    fn what_is_known_of_addresses_has_a_bound() {
        let quota = Quota::new(&Limits { requests: Some(2), bytes: Some(10), proxies: Vec::new() }).unwrap();
        let many = |number: u32| IpAddr::from(number.to_be_bytes());
        for number in 0..150_000 {
            assert_eq!(quota.enter(many(number)), Ok(()));
            quota.sent(many(number), 1);
            quota.leave(many(number));
        }
        assert!(quota.clients().len() <= ADDRESSES);
        let (one, other) = (address("1.1.1.1"), address("2.2.2.2"));
        assert_eq!([(); 3].map(|()| quota.enter(one)), [Ok(()), Ok(()), Err(1)]);
        quota.leave(one);
        assert_eq!(quota.enter(one), Ok(()));
        assert_eq!(quota.enter(other), Ok(()));
        quota.sent(other, 10);
        assert!(quota.enter(other).is_err_and(|seconds| seconds <= 60));
    }
}
