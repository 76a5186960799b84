//! How long the pure parts take: `cargo bench --bench pure`.

mod operations;

use crate::operations::OPERATIONS;

fn main() {
    divan::main();
}

#[divan::bench(args = OPERATIONS.map(|(name, _)| name))]
fn operation(bencher: divan::Bencher<'_, '_>, name: &str) {
    let (_, prepare) = OPERATIONS.into_iter().find(|(other, _)| *other == name).expect("one of the arguments");
    let operation = prepare();
    bencher.bench_local(operation);
}
