//! A WebSocket to another server: its bytes pass as they are, whatever they mean.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::rt;
use actix_web::web::Payload;
use futures_util::StreamExt;
use hyper::StatusCode;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio_util::io::ReaderStream;

use crate::event::Encoding;
use crate::http::live::websocket;
use crate::http::negotiate;
use crate::http::proxy::answer;
use crate::http::proxy::away;
use crate::http::proxy::passenger::Passenger;
use crate::http::proxy::stream;
use crate::http::proxy::stream::Stream;

pub(super) async fn serve(passenger: &Passenger<'_>, mut payload: Payload) -> HttpResponse {
    let plain = passenger.headers();
    let ours = Stream::of(passenger, &plain);
    if let Ok(stream) = &ours
        && passenger.server.has_contents(&stream.place)
    {
        return answer(passenger, stream, payload);
    }
    let mut headers = plain.clone();
    headers.insert("connection", HeaderValue::from_static("Upgrade"));
    headers.insert("upgrade", HeaderValue::from_static("websocket"));
    let mut response = match passenger.send_patiently(&headers).await {
        Ok(response) => response,
        Err(failure) => return away::answer(passenger, &failure),
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return match ours {
            Ok(stream) if stream::has_none(&response, "text/html") => {
                stream.ask(passenger, plain);
                answer(passenger, &stream, payload)
            }
            _ => passenger.as_it_is(response, &plain, None),
        };
    }
    let Ok(upgraded) = hyper::upgrade::on(&mut response).await else {
        return HttpResponse::BadGateway().body("the connection has ended\n");
    };
    let (read, mut write) = tokio::io::split(TokioIo::new(upgraded));
    rt::spawn(async move {
        while let Some(Ok(part)) = payload.next().await {
            if write.write_all(&part).await.is_err() {
                return;
            }
        }
        // Fails if the other side has gone before.
        drop(write.shutdown().await);
    });
    let mut builder = HttpResponse::SwitchingProtocols();
    builder.upgrade("websocket");
    for header in answer::headers(&passenger.passage(), response.headers()) {
        builder.append_header(header);
    }
    let mut answer = builder.streaming(ReaderStream::new(read));
    // That of what has none.
    if !response.headers().contains_key("content-type") {
        answer.headers_mut().remove(header::CONTENT_TYPE);
    }
    answer
}

fn answer(passenger: &Passenger<'_>, stream: &Stream, payload: Payload) -> HttpResponse {
    let has = negotiate::last_event_id(passenger.request);
    let feed = stream.feed(passenger, Encoding::WebSocket, has.as_deref());
    websocket::answer(passenger.request, payload, feed)
}
