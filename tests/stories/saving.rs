//! The ways in which programs save. The full table is a suite of its own.

use crate::support::Site;

#[cfg(unix)]
#[test]
fn programs_save_in_many_ways() {
    let site = Site::with(&[("data.txt", "0\n")]);
    let server = site.serve();
    let events = server.follow("/data.txt");
    events.expect("0\n");
    let check = |command: &str, content: &str| {
        site.shell(command);
        events.expect(content);
    };
    check("echo 1 > data.txt", "1\n");
    check("echo 2 >> data.txt", "1\n2\n");
    check("sed -i s/1/3/ data.txt", "3\n2\n");
    check("echo 4 > new && mv new data.txt", "4\n");
    check("echo 5 > ../new && mv ../new data.txt", "5\n");
    check("echo 6 > new && cp new data.txt", "6\n");
    check("rm data.txt && echo 7 > data.txt", "7\n");
    check("echo 8 | tee data.txt > /dev/null", "8\n");
    check("(printf 9; sleep 0.02; echo) > data.txt", "9\n");
    check("echo 10 > new && ln -f new data.txt", "10\n");
    check("vim -N -u NONE -i NONE -n -es -c 'normal cc11' -c wq data.txt", "11\n");
    check("vim -N -u NONE -i NONE -n -es -c 'set backupcopy=no backup' -c 'normal cc12' -c wq data.txt", "12\n");
}

#[test]
fn a_file_that_stays_open_is_told_when_it_is_quiet() {
    use std::io::Write;
    let site = Site::with(&[("data.txt", "0")]);
    let server = site.serve();
    let events = server.follow("/data.txt");
    events.expect("0");
    let mut file = std::fs::File::create(site.path("data.txt")).expect("a file");
    file.write_all(b"still open").expect("a write");
    events.expect("still open");
    drop(file);
    site.write("data.txt", "closed");
    events.expect("closed");
}

#[cfg(unix)]
#[test]
fn links_lead_to_saves_elsewhere() {
    let site = Site::with(&[("real/data.txt", "0"), ("..2026_1/map.txt", "one"), ("..2026_2/map.txt", "two")]);
    site.shell(
        "ln -s real/data.txt file.txt && ln -s real folder && ln -s ..2026_1 ..data && ln -s ..data/map.txt map.txt",
    );
    let server = site.serve();
    let real = server.follow("/real/data.txt");
    let file = server.follow("/file.txt");
    let folder = server.follow("/folder/data.txt");
    let map = server.follow("/map.txt");
    [&real, &file, &folder].iter().for_each(|events| events.expect("0"));
    map.expect("one");

    site.write("real/data.txt", "1");
    [&real, &file, &folder].iter().for_each(|events| events.expect("1"));
    // As Kubernetes updates a volume of a ConfigMap.
    site.shell("ln -s ..2026_2 ..new && mv -T ..new ..data");
    map.expect("two");
    site.write("..2026_2/map.txt", "three");
    map.expect("three");
    site.write("other/data.txt", "2");
    site.shell("ln -sfn other folder");
    folder.expect("2");
    site.write("other/data.txt", "3");
    folder.expect("3");
    site.write("real/data.txt", "4");
    [&real, &file].iter().for_each(|events| events.expect("4"));
}

#[cfg(unix)]
#[test]
fn the_root_comes_and_goes() {
    let site = Site::with(&[("data.txt", "0")]);
    let server = site.serve();
    let events = server.follow("/data.txt");
    events.expect("0");
    site.shell("cd .. && rm -r site");
    assert_eq!(events.expect_event("removed")["path"], "/data.txt");
    site.write("data.txt", "1");
    events.expect("1");
    site.write("data.txt", "2");
    events.expect("2");
    site.shell("cd .. && mkdir new && echo 3 > new/data.txt && mv site old && mv new site");
    events.expect("3\n");
    site.write("data.txt", "4");
    events.expect("4");
}

#[cfg(unix)]
#[test]
fn directories_come_and_go() {
    let site = Site::with(&[("dist/data.txt", "0")]);
    let server = site.serve();
    let events = server.follow("/dist/data.txt");
    events.expect("0");
    site.shell("rm -r dist && mkdir dist && echo 1 > dist/data.txt");
    events.expect("1\n");
    site.shell("mkdir new && echo 2 > new/data.txt && mv dist old && mv new dist");
    events.expect("2\n");
    site.shell("echo 3 > dist/data.txt");
    events.expect("3\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_with_two_names_is_saved_under_either() {
    let site = Site::with(&[("a.txt", "begin")]);
    site.shell("mkdir ../elsewhere && ln a.txt b.txt && ln a.txt ../elsewhere/c.txt");
    let server = site.serve();
    let a = server.follow("/a.txt");
    let b = server.follow("/b.txt");
    [&a, &b].iter().for_each(|events| events.expect("begin"));
    for (number, name) in ["a.txt", "b.txt", "../elsewhere/c.txt", "a.txt", "../elsewhere/c.txt"].iter().enumerate() {
        site.shell(&format!("printf {number} > {name}"));
        [&a, &b].iter().for_each(|events| events.expect(&number.to_string()));
    }
    // One of them becomes a file of its own.
    site.shell("echo own > new && mv new a.txt");
    a.expect("own\n");
    site.shell("echo shared > ../elsewhere/c.txt");
    b.expect("shared\n");
    site.shell("ln -f ../elsewhere/c.txt a.txt");
    a.expect("shared\n");
    drop(b);
    site.shell("echo end > ../elsewhere/c.txt");
    a.expect("end\n");
}
