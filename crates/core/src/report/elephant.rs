//! The elephant as an SVG picture: how it is drawn, and what networks make of it.

use std::f64::consts::{FRAC_PI_2, TAU};

use crate::data::Elephant;

/// Picture points: the whole width, and of each panel what is left free at its sides.
const WIDTH: f64 = 800.0;
const MARGIN: f64 = 18.0;
/// Where the drawings begin, and what stands below them.
const TOP: f64 = 84.0;
const BELOW: f64 = 74.0;
/// Corners of the true outline.
const CORNERS: u32 = 240;

/// Colours by the reader's choice of light or dark, and no motion where none is wanted. SMIL knows nothing
/// of that choice, so there are two trunks, one of which is not shown.
const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;text-anchor:middle;fill:#1f2328}\
.quote{font-size:16px;font-style:italic}.name{font-size:16px;font-weight:600}.note{font-size:13px;fill:#59636e}\
.ground{fill:#fff}.body{fill:#8c959f;fill-opacity:.22;stroke:#57606a;stroke-width:2.2;stroke-linejoin:round}\
.eye{fill:#57606a}.truth{fill:#8c959f;fill-opacity:.16;stroke:none}\
.points{stroke:#6e7781;stroke-width:3;stroke-linecap:round;fill:none}\
.fit{fill:none;stroke-width:2.2;stroke-linejoin:round}.fit0{stroke:#c4432b}.fit1{stroke:#0969da}\
.still{display:none}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.note{fill:#9198a1}.ground{fill:#0d1117}\
.body{fill:#b1bac4;fill-opacity:.2;stroke:#b1bac4}.eye{fill:#b1bac4}.truth{fill:#b1bac4;fill-opacity:.2}\
.points{stroke:#8b949e}.fit0{stroke:#ff8a70}.fit1{stroke:#6cb6ff}}\
@media(prefers-reduced-motion:reduce){.moving{display:none}.still{display:inline}}";

/// The elephant wiggling its trunk, and beside it what networks made of noisy points of it.
#[derive(Clone, Copy, Debug)]
pub struct ElephantPicture<'a> {
    /// The elephant.
    pub elephant: Elephant,
    /// The noisy points, right and up.
    pub points: &'a [[f64; 2]],
    /// The networks.
    pub fits: &'a [ElephantFit<'a>],
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
    /// The picture as an SVG file of 800 points width. It needs nothing from elsewhere, and its trunk is
    /// moved by SMIL, without a script.
    pub fn svg(&self) -> String {
        let angle = |corner: u32| TAU * f64::from(corner) / f64::from(CORNERS);
        let outline: Vec<[f64; 2]> =
            (0..CORNERS).map(|corner| self.elephant.outline(angle(corner))).collect();
        let tip = outline.iter().map(|point| point[0]).fold(f64::NEG_INFINITY, f64::max);
        let swung = |phase: f64| -> Vec<[f64; 2]> {
            outline.iter().map(|&point| self.elephant.swung(point, tip, phase)).collect()
        };
        let ends = [swung(FRAC_PI_2), swung(-FRAC_PI_2)];

        let drawn: Vec<&[[f64; 2]]> = [&outline[..], &ends[0], &ends[1], self.points]
            .into_iter()
            .chain(self.fits.iter().map(|fit| fit.outline))
            .collect();
        let panel = WIDTH / (1 + self.fits.len()) as f64;
        let frame = Frame::new(&drawn, panel - 2.0 * MARGIN);
        let height = TOP + frame.height + BELOW;
        let mut panels = self.truth(&frame, &outline, &ends, panel);
        for (index, fit) in self.fits.iter().enumerate() {
            panels += &Self::fit(&frame, fit, index, panel);
        }
        let description = self.description();
        let (truth, points) = (frame.outline(&outline), frame.points(self.points));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
             height=\"{height:.0}\" role=\"img\" aria-labelledby=\"title description\">\n\
             <title id=\"title\">An elephant of four complex numbers, and two networks that draw it</title>\n\
             <desc id=\"description\">{description}</desc>\n<style>{STYLE}</style>\n\
             <defs><path id=\"truth\" class=\"truth\" d=\"{truth}\"/><path id=\"points\" class=\"points\" d=\"{points}\"/></defs>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height:.0}\" rx=\"8\"/>\n\
             <text class=\"quote\" x=\"{}\" y=\"34\">“With four parameters I can fit an elephant, and with five I can \
             make him wiggle his trunk.”</text>\n{panels}</svg>\n",
            WIDTH / 2.0
        )
    }

    /// The panel of the elephant itself.
    fn truth(
        &self,
        frame: &Frame,
        outline: &[[f64; 2]],
        [up, down]: &[Vec<[f64; 2]>; 2],
        width: f64,
    ) -> String {
        let [still, up, down] = [outline, up, down].map(|outline| frame.outline(outline));
        let [x, y] = frame.place(self.elephant.eye());
        let ease = "0.37 0 0.63 1";
        format!(
            "<g transform=\"translate({MARGIN} {TOP})\">\n\
             <path class=\"body still\" d=\"{still}\"/>\n\
             <path class=\"body moving\" d=\"{still}\"><animate attributeName=\"d\" dur=\"2s\" repeatCount=\"indefinite\" \
             calcMode=\"spline\" keyTimes=\"0;0.5;1\" keySplines=\"{ease};{ease}\" values=\"{up};{down};{up}\"/></path>\n\
             <circle class=\"eye\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>\n{}</g>\n",
            words(
                frame,
                width,
                "Four complex numbers",
                ["draw it, in 8 coefficients;", "a fifth moves the trunk"]
            ),
        )
    }

    /// The panel of a network.
    fn fit(frame: &Frame, fit: &ElephantFit, index: usize, width: f64) -> String {
        format!(
            "<g transform=\"translate({:.1} {TOP})\">\n<use href=\"#truth\"/><use href=\"#points\"/>\n\
             <path class=\"fit fit{}\" d=\"{}\"/>\n{}</g>\n",
            width * (index + 1) as f64 + MARGIN,
            index % 2,
            frame.outline(fit.outline),
            words(frame, width, fit.name, fit.notes),
        )
    }

    /// The picture in words.
    fn description(&self) -> String {
        let fits = self.fits.iter().map(|fit| format!(" {}: {}, {}.", fit.name, fit.notes[0], fit.notes[1]));
        let fits: String = fits.collect();
        escaped(&format!(
            "First the elephant of Mayer, Khairy and Howard, moving its trunk up and down. Then, over the true \
             elephant in grey and {} noisy points of its outline, the outlines that networks learned from \
             the points.{fits}",
            self.points.len()
        ))
    }
}

/// What stands above and below the drawing of a panel of this width.
fn words(frame: &Frame, width: f64, name: &str, notes: [&str; 2]) -> String {
    let middle = width / 2.0 - MARGIN;
    let [first, second] = notes.map(escaped);
    let (one, two) = (frame.height + 32.0, frame.height + 51.0);
    format!(
        "<text class=\"name\" x=\"{middle:.1}\" y=\"-14\">{}</text>\n\
         <text class=\"note\" x=\"{middle:.1}\" y=\"{one:.1}\">{first}</text>\n\
         <text class=\"note\" x=\"{middle:.1}\" y=\"{two:.1}\">{second}</text>\n",
        escaped(name)
    )
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
    /// The frame in which all points fit into this width.
    fn new(drawn: &[&[[f64; 2]]], width: f64) -> Self {
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for point in drawn.iter().copied().flatten().filter(|point| point.iter().all(|at| at.is_finite())) {
            for axis in 0..2 {
                low[axis] = low[axis].min(point[axis]);
                high[axis] = high[axis].max(point[axis]);
            }
        }
        let scale = width / (high[0] - low[0]);
        Self { left: low[0], top: high[1], scale, height: scale * (high[1] - low[1]) }
    }

    /// Where a point lies in the panel, right and down.
    fn place(&self, [right, up]: [f64; 2]) -> [f64; 2] {
        [self.scale * (right - self.left), self.scale * (self.top - up)]
    }

    /// A closed path.
    fn outline(&self, outline: &[[f64; 2]]) -> String {
        let corners = outline.iter().filter(|point| point.iter().all(|at| at.is_finite()));
        let corners: Vec<String> = corners
            .map(|&point| {
                let [x, y] = self.place(point);
                format!("{x:.1} {y:.1}")
            })
            .collect();
        format!("M{}Z", corners.join("L"))
    }

    /// A path of dots.
    fn points(&self, points: &[[f64; 2]]) -> String {
        let dot = |&point: &[f64; 2]| {
            let [x, y] = self.place(point);
            format!("M{x:.1} {y:.1}h0")
        };
        points.iter().map(dot).collect()
    }
}

/// Text between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
