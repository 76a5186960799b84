//! The figures as a picture that can be read in light and dark.

use std::fmt::Write;

/// The height of one bar, and the distance from one row to the next.
const BAR: usize = 10;
const ROW: usize = 34;

/// Where bars begin, and how wide the longest is.
const LEFT: f64 = 280.0;
const WIDTH: f64 = 350.0;

/// Bars on a logarithmic scale, because the largest figure is many times the smallest: medians as bars, the times that 99
/// of 100 don't exceed as thin lines.
pub(crate) fn draw(rows: &[(String, [[f64; 2]; 2])]) -> String {
    let all = rows.iter().flat_map(|(_, figures)| figures.iter().flatten());
    let (low, high) = all.fold((f64::MAX, 0.0_f64), |(low, high), figure| (low.min(*figure), high.max(*figure)));
    let low = 10_f64.powf(low.log10().floor());
    let place = |figure: f64| LEFT + (figure / low).log10() / (high / low).log10() * WIDTH;
    let height = rows.len() * ROW + 70;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 {height}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"12\">\n<style>text {{ fill: #222 }} .grid {{ stroke: #8886 }} .ours {{ fill: #1d6fd1; stroke: #1d6fd1 }} \
         .bare {{ fill: #9a9a9a; stroke: #9a9a9a }} @media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} }}</style>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">From the end of a save to the event at a listener, in ms (bar: median, line: 99 %)</text>\n\
         <rect class=\"ours\" x=\"10\" y=\"30\" width=\"10\" height=\"10\"/><text x=\"26\" y=\"39\">savecast</text>\n\
         <rect class=\"bare\" x=\"90\" y=\"30\" width=\"10\" height=\"10\"/><text x=\"106\" y=\"39\">a bare program: inotify, \
         read, write</text>\n"
    );
    let mut figure = low;
    while figure <= high {
        let (x, bottom) = (place(figure), height - 20);
        writeln!(svg, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"50\" y2=\"{bottom}\"/>")
            .expect("a string");
        writeln!(svg, "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{figure}</text>", height - 6)
            .expect("a string");
        figure *= 10.0;
    }
    for (row, (name, [medians, p99s])) in rows.iter().enumerate() {
        let top = 54 + row * ROW;
        writeln!(svg, "<text x=\"10\" y=\"{}\">{name}</text>", top + 14).expect("a string");
        for (side, class) in ["ours", "bare"].into_iter().enumerate() {
            let (y, end) = (top + side * (BAR + 2), place(medians[side]));
            let (middle, tip) = (y + BAR / 2, place(p99s[side]));
            writeln!(
                svg,
                "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{:.1}\" height=\"{BAR}\"/>\
                 <line class=\"{class}\" x1=\"{end:.1}\" x2=\"{tip:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>",
                end - LEFT
            )
            .expect("a string");
        }
    }
    svg.push_str("</svg>\n");
    svg
}
