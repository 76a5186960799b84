//! A request goes to another server, and its answer comes back.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::web::Payload;

use crate::http::guard::middleware::Foreign;
use crate::http::negotiate;
use crate::http::negotiate::Negotiated;
use crate::http::proxy::away;
use crate::http::proxy::mounted::Clients;
use crate::http::proxy::page;
use crate::http::proxy::passenger::Passenger;
use crate::http::proxy::poll;
use crate::http::proxy::request;
use crate::http::proxy::stream;
use crate::http::proxy::tunnel;
use crate::http::state::AppState;
use crate::source::Upstream;

/// Passes a request on, and its answer back.
pub(crate) async fn serve(
    request: &HttpRequest,
    state: &Data<AppState>,
    server: &Arc<Upstream>,
    payload: Payload,
) -> HttpResponse {
    if request::is_loop(state.proxies.name(), request.headers()) {
        return foreign(HttpResponse::build(StatusCode::LOOP_DETECTED).body("this server is behind itself\n"));
    }
    let Some(clients) = request.app_data::<Clients>() else { return HttpResponse::InternalServerError().finish() };
    let passenger = Passenger::new(request, state, server, clients.of(server));
    let answer = match negotiate::negotiate(request.method(), request.headers()) {
        Ok(Negotiated::WebSocket) => Box::pin(tunnel::serve(&passenger, payload)).await,
        Ok(Negotiated::EventStream) if *request.method() == Method::GET => Box::pin(stream::serve(&passenger)).await,
        _ => pass(&passenger, payload).await,
    };
    foreign(answer)
}

async fn pass(passenger: &Passenger<'_>, payload: Payload) -> HttpResponse {
    let headers = passenger.headers();
    if passenger.is_page {
        passenger.server.expect();
    }
    let asking = passenger.is_of_client.then(|| passenger.server.asking());
    let response = match passenger.send(&headers, payload).await {
        Ok(response) => response,
        Err(failure) => return away::answer(passenger, &failure),
    };
    if passenger.is_page {
        passenger.server.served(&passenger.url, &headers, passenger.at.elapsed());
    }
    if let Some(injected) = page::Injected::of(passenger, &response) {
        return injected.answer(passenger, response);
    }
    let answer = passenger.as_it_is(response, &headers, asking);
    // Apart, so that the many who do not wait have no room for it.
    let waits = passenger.request.headers().contains_key("prefer");
    if waits { Box::pin(poll::hold(passenger, &headers, answer)).await } else { answer }
}

/// What another server answers says itself what it is.
fn foreign(mut answer: HttpResponse) -> HttpResponse {
    answer.extensions_mut().insert(Foreign);
    answer
}
