//! The elephant as an SVG picture: how it is drawn, and what networks make of it.

use std::f64::consts::{FRAC_PI_2, TAU};

use super::outline::{bounds, is_finite};
use super::page::escape;
use crate::data::Elephant;

/// Picture points: the whole width, that of each of three panels, and what is left free at its sides.
const WIDTH: f64 = 800.0;
const PANEL: f64 = WIDTH / 3.0;
const MARGIN: f64 = 18.0;
/// Where the drawings begin, and what stands below them.
const TOP: f64 = 106.0;
const BELOW: f64 = 70.0;
/// Corners of the true outline.
const CORNERS: u32 = 240;

/// Half a swing as a sine has it: slow at both ends.
const SINE: &str = "0.37 0 0.63 1";
/// Colours by the reader's choice of light or dark, and no motion where none is wanted. SMIL knows nothing
/// of that choice, so there are two trunks, one of which is not shown.
const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;text-anchor:middle;fill:#1f2328}\
.quote{font-size:15px;font-style:italic}.name{font-size:16px;font-weight:600}.note{font-size:13px;fill:#59636e}\
.ground{fill:#fff}.body{fill:#8c959f;fill-opacity:.22;stroke:#57606a;stroke-width:2.2;stroke-linejoin:round}\
.eye{fill:#57606a}.truth{fill:#8c959f;fill-opacity:.25}\
.points{stroke:#6e7781;stroke-width:3;stroke-linecap:round;fill:none}\
.fit{fill:none;stroke-width:2.2;stroke-linejoin:round}.fit0{stroke:#c4432b}.fit1{stroke:#0969da}\
.still{display:none}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.note{fill:#9198a1}.ground{fill:#0d1117}\
.body{fill:#b1bac4;fill-opacity:.2;stroke:#b1bac4}.eye{fill:#b1bac4}.truth{fill:#b1bac4;fill-opacity:.25}\
.points{stroke:#8b949e}.fit0{stroke:#ff8a70}.fit1{stroke:#6cb6ff}}\
@media(prefers-reduced-motion:reduce){.moving{display:none}.still{display:inline}}";

/// The elephant wiggling its trunk, and beside it what two networks made of noisy points of its outline.
#[derive(Clone, Copy, Debug)]
pub struct ElephantPicture<'a> {
    /// The elephant.
    pub elephant: Elephant,
    /// The noisy points, right and up.
    pub points: &'a [[f64; 2]],
    /// The networks.
    pub fits: [ElephantFit<'a>; 2],
}

/// What a network made of the points.
#[derive(Clone, Copy, Debug)]
pub struct ElephantFit<'a> {
    /// What stands above it.
    pub name: &'a str,
    /// What stands below it, each in a line.
    pub notes: [&'a str; 2],
    /// The outline it draws, right and up.
    pub outline: &'a [[f64; 2]],
}

impl ElephantPicture<'_> {
    /// The picture as an SVG file of 800 points width. It needs nothing from elsewhere, and the trunk is
    /// moved by SMIL, without a script. Points that are not finite are left out.
    pub fn svg(&self) -> String {
        let angle = |corner: u32| TAU * f64::from(corner) / f64::from(CORNERS);
        let outline: Vec<_> = (0..CORNERS).map(|corner| self.elephant.outline(angle(corner))).collect();
        let tip = outline.iter().map(|point| point[0]).fold(f64::NEG_INFINITY, f64::max);
        let swung =
            |phase: f64| outline.iter().map(|&point| self.elephant.swung(point, tip, phase)).collect();
        let ends: [Vec<_>; 2] = [FRAC_PI_2, -FRAC_PI_2].map(swung);
        let fits = self.fits.iter().flat_map(|fit| fit.outline);
        let frame = Frame::new(ends.iter().flatten().chain(&outline).chain(self.points).chain(fits));

        let (middle, height) = (WIDTH / 2.0, (TOP + frame.height + BELOW).ceil());
        let [still, up, down] = [&outline, &ends[0], &ends[1]].map(|outline| frame.outline(outline));
        let [x, y] = frame.place(self.elephant.eye()).map(|at| format!("{at:.1}"));
        let eye = format!("<circle class=\"eye\" cx=\"{x}\" cy=\"{y}\" r=\"3.5\"/>");
        let moving = format!(
            "<path class=\"body still\" d=\"{still}\"/>\n<path class=\"body moving\" d=\"{still}\">\
             <animate attributeName=\"d\" dur=\"2s\" repeatCount=\"indefinite\" calcMode=\"spline\" \
             keyTimes=\"0;0.5;1\" keySplines=\"{SINE};{SINE}\" values=\"{up};{down};{up}\"/></path>\n{eye}"
        );
        let notes = ["are 8 coefficients that draw it,", "and a fifth wiggles the trunk"];
        let mut panels = frame.panel(0, "Four complex numbers", notes, &moving);
        for (index, fit) in self.fits.iter().enumerate() {
            let drawn = format!(
                "<use href=\"#elephant-truth\"/><use href=\"#elephant-points\"/>\n<path class=\"fit fit{index}\" d=\"{}\"/>",
                frame.outline(fit.outline)
            );
            panels += &frame.panel(index + 1, fit.name, fit.notes, &drawn);
        }
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"elephant-title elephant-description\">\n\
             <title id=\"elephant-title\">An elephant of four complex numbers, and two networks that draw it</title>\n\
             <desc id=\"elephant-description\">{}</desc>\n<style>{STYLE}</style>\n\
             <defs><g id=\"elephant-truth\"><path class=\"truth\" d=\"{still}\"/>{eye}</g>\
             <path id=\"elephant-points\" class=\"points\" d=\"{}\"/></defs>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\n\
             <text class=\"quote\" x=\"{middle}\" y=\"33\">“With four parameters I can fit an elephant, and with five \
             I can make him wiggle his trunk.”</text>\n\
             <text class=\"note\" x=\"{middle}\" y=\"54\">John von Neumann</text>\n{panels}</svg>\n",
            self.description(),
            frame.points(self.points)
        )
    }

    /// The picture in words.
    fn description(&self) -> String {
        let fits = self.fits.map(|fit| format!("{}: {}, {}.", fit.name, fit.notes[0], fit.notes[1]));
        escape(&format!(
            "First the elephant of Mayer, Khairy and Howard, moving its trunk up and down. Then, over the same \
             elephant in grey and {} noisy points of its outline, what two networks learned from the points. {}",
            self.points.len(),
            fits.join(" ")
        ))
    }
}

/// The part of the plane that a panel shows.
struct Frame {
    left: f64,
    top: f64,
    /// Picture points for a length of 1.
    scale: f64,
    height: f64,
}

impl Frame {
    /// The frame in which all of these points fit into a panel.
    fn new<'a>(points: impl Iterator<Item = &'a [f64; 2]>) -> Self {
        let [low, high] = bounds(points);
        let scale = (PANEL - 2.0 * MARGIN) / (high[0] - low[0]);
        Self { left: low[0], top: high[1], scale, height: scale * (high[1] - low[1]) }
    }

    /// A panel, counted from 0 at the left: its name above and notes below what is drawn in it.
    fn panel(&self, index: usize, name: &str, notes: [&str; 2], drawn: &str) -> String {
        let (left, middle) = (PANEL * index as f64 + MARGIN, PANEL / 2.0 - MARGIN);
        let text = |class: &str, y: f64, text: &str| {
            format!("<text class=\"{class}\" x=\"{middle:.1}\" y=\"{y:.1}\">{}</text>\n", escape(text))
        };
        let words = [
            text("name", -14.0, name),
            text("note", self.height + 32.0, notes[0]),
            text("note", self.height + 51.0, notes[1]),
        ];
        format!("<g transform=\"translate({left:.1} {TOP})\">\n{drawn}\n{}</g>\n", words.concat())
    }

    /// Where a point lies in the panel, right and down.
    fn place(&self, [right, up]: [f64; 2]) -> [f64; 2] {
        [self.scale * (right - self.left), self.scale * (self.top - up)]
    }

    /// A closed path.
    fn outline(&self, outline: &[[f64; 2]]) -> String {
        let corners: Vec<String> = self.places(outline).map(|[x, y]| format!("{x:.1} {y:.1}")).collect();
        format!("M{}Z", corners.join("L"))
    }

    /// A path of dots.
    fn points(&self, points: &[[f64; 2]]) -> String {
        self.places(points).map(|[x, y]| format!("M{x:.1} {y:.1}h0")).collect()
    }

    fn places(&self, points: &[[f64; 2]]) -> impl Iterator<Item = [f64; 2]> {
        points.iter().filter(|point| is_finite(point)).map(|&point| self.place(point))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(outline: &[[f64; 2]]) -> String {
        let fit = |name| ElephantFit { name, notes: ["a < b", "& c"], outline };
        let points = &[[-70.0, 0.0], [f64::NAN, 1.0], [0.0, 80.0]];
        ElephantPicture { elephant: Elephant::default(), points, fits: [fit("one"), fit("two")] }.svg()
    }

    /// The values of an attribute, wherever it stands.
    fn attributes<'a>(svg: &'a str, name: &str) -> Vec<&'a str> {
        let begins = format!(" {name}=\"");
        svg.split(&begins).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    fn numbers(path: &str) -> Vec<f64> {
        path.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
            .filter_map(|word| word.parse().ok())
            .collect()
    }

    #[test]
    fn every_drawing_lies_in_its_panel() {
        let svg = picture(&[[-75.0, -80.0], [90.0, f64::INFINITY], [90.0, 0.0]]);
        let height: f64 = attributes(&svg, "height")[0].parse().unwrap();
        assert!((300.0..600.0).contains(&height), "{height}");
        let paths = attributes(&svg, "d");
        // The elephant at rest, the points; it at rest and moving; two networks.
        assert_eq!(paths.len(), 6);
        for path in paths.iter().filter(|path| !path.contains('h')) {
            for pair in numbers(path).chunks(2) {
                assert!((0.0..=PANEL - 2.0 * MARGIN + 0.05).contains(&pair[0]), "{pair:?} in {path}");
                assert!((0.0..=height - TOP - BELOW + 0.05).contains(&pair[1]), "{pair:?} in {path}");
            }
        }
        assert_eq!(paths[1].matches('h').count(), 2, "the point that is none is left out");
        assert_eq!(paths[4], paths[5]);
        assert_eq!(numbers(paths[4]).len(), 4, "and so is the corner");
    }

    /// SMIL moves a path into another one only if both have the same commands.
    #[test]
    fn the_trunk_moves_between_outlines_of_the_same_corners() {
        let svg = picture(&[[0.0, 0.0], [1.0, 1.0]]);
        let values: Vec<&str> = attributes(&svg, "values")[0].split(';').collect();
        assert_eq!((values.len(), values[0]), (3, values[2]));
        let still = numbers(attributes(&svg, "d")[0]);
        let (up, down) = (numbers(values[0]), numbers(values[1]));
        assert_eq!((up.len(), down.len(), still.len()), (480, 480, 480));
        let mut moved = 0;
        for ((still, up), down) in still.chunks(2).zip(up.chunks(2)).zip(down.chunks(2)) {
            assert!(still[0] == up[0] && still[0] == down[0], "it moves up and down only");
            assert!(up[1] <= still[1] && still[1] <= down[1], "downwards is positive");
            moved += usize::from(up[1] < down[1]);
        }
        assert!((20..120).contains(&moved), "{moved} corners of 240 are the trunk");
    }

    #[test]
    fn words_are_words_and_there_is_no_script() {
        let svg = picture(&[[0.0, 0.0]]);
        assert!(svg.contains("a &lt; b") && svg.contains("&amp; c") && !svg.contains("a < b"));
        assert!(svg.contains("<title id=\"elephant-title\">") && svg.contains("3 noisy points"), "{svg}");
        for foreign in ["<script", "http://", "https://", "url(", "@import", "NaN", "inf"] {
            let known = svg.matches("http://www.w3.org/2000/svg").count();
            let expected = if foreign == "http://" { known } else { 0 };
            assert_eq!(svg.matches(foreign).count(), expected, "{foreign}");
        }
        assert!(svg.contains("prefers-reduced-motion") && svg.contains("prefers-color-scheme"));
    }
}
