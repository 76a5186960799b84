//! What serves files in most programs that are made with actix-web: `actix-files`.

use std::io;
use std::path::Path;

use actix_files::Files;
use actix_web::App;
use actix_web::HttpServer;
use actix_web::rt::System;

/// The argument that makes the benchmark this server.
pub(crate) const FLAG: &str = "--peer";

/// Serves a directory with as many workers as there are processors, until it is killed.
pub(crate) fn run(directory: &Path) -> io::Result<()> {
    let directory = directory.to_path_buf();
    System::new().block_on(async {
        let server = HttpServer::new(move || App::new().service(Files::new("/", directory.clone())));
        // Like ours. Without it, each answer waits for 40 ms.
        let server = server.tcp_nodelay(true).bind("127.0.0.1:0")?;
        println!("http://{}/", server.addrs()[0]);
        server.run().await
    })
}
