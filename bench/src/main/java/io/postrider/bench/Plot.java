package io.postrider.bench;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Lines over points, as SVG; both axes begin at 0 and have four steps of a round number. */
final class Plot {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 320;
    private static final int LEFT = 64;
    private static final int BOTTOM = 48;
    private static final int TOP = 40;
    private static final int RIGHT = 110;
    private static final int STEPS = 4;
    private static final List<Double> ROUND = List.of(1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 10.0);
    private static final List<String> COLOURS = List.of("#1f6feb", "#d1242f", "#1a7f37", "#8250df");

    private final String title;
    private final String across;
    private final String up;
    private final List<Line> lines = new ArrayList<>();

    /** A measured point. */
    record Point(double x, double y) {}

    private record Line(String name, List<Point> points) {}

    Plot(String title, String across, String up) {
        this.title = title;
        this.across = across;
        this.up = up;
    }

    Plot line(String name, List<Point> points) {
        lines.add(new Line(name, List.copyOf(points)));
        return this;
    }

    String svg() {
        double mostX = most(true);
        double mostY = most(false);
        StringBuilder svg = new StringBuilder();
        svg.append(
                String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\""
                                + " font-family=\"sans-serif\" font-size=\"12\">%n",
                        WIDTH,
                        HEIGHT));
        svg.append(
                String.format(
                        Locale.ROOT,
                        "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>%n",
                        WIDTH,
                        HEIGHT));
        text(svg, LEFT, 20, "start", title, "font-weight=\"bold\"");
        text(svg, (LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8, "middle", across, "");
        text(svg, LEFT, TOP - 6, "start", up, "fill=\"#555\"");
        for (int i = 0; i <= STEPS; i++) {
            double y = y(mostY * i / STEPS, mostY);
            svg.append(
                    String.format(
                            Locale.ROOT,
                            "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\""
                                    + " stroke=\"#ddd\"/>%n",
                            LEFT,
                            WIDTH - RIGHT,
                            y,
                            y));
            text(svg, LEFT - 6, y + 4, "end", number(mostY * i / STEPS), "");
            double at = mostX * i / STEPS;
            text(svg, x(at, mostX), HEIGHT - BOTTOM + 16, "middle", number(at), "");
        }
        for (int i = 0; i < lines.size(); i++) {
            draw(svg, lines.get(i), COLOURS.get(i % COLOURS.size()), mostX, mostY);
        }
        return svg.append("</svg>\n").toString();
    }

    private static void draw(
            StringBuilder svg, Line line, String colour, double mostX, double mostY) {
        StringBuilder path = new StringBuilder();
        for (Point point : line.points) {
            path.append(
                    String.format(Locale.ROOT, "%.1f,%.1f ", x(point.x, mostX), y(point.y, mostY)));
        }
        svg.append(
                String.format(
                        Locale.ROOT,
                        "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\""
                                + " stroke-width=\"2\"/>%n",
                        path.toString().strip(),
                        colour));
        for (Point point : line.points) {
            svg.append(
                    String.format(
                            Locale.ROOT,
                            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>%n",
                            x(point.x, mostX),
                            y(point.y, mostY),
                            colour));
        }
        Point last = line.points.getLast();
        text(
                svg,
                x(last.x, mostX) + 8,
                y(last.y, mostY) + 4,
                "start",
                line.name,
                "fill=\"" + colour + "\"");
    }

    private static void text(
            StringBuilder svg, double x, double y, String anchor, String words, String more) {
        svg.append(
                String.format(
                        Locale.ROOT,
                        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>%s</text>%n",
                        x,
                        y,
                        anchor,
                        more,
                        words.replace("&", "&amp;").replace("<", "&lt;")));
    }

    private double most(boolean ofX) {
        return STEPS
                * round(
                        lines.stream()
                                        .flatMap(line -> line.points.stream())
                                        .mapToDouble(point -> ofX ? point.x : point.y)
                                        .max()
                                        .orElse(1)
                                / STEPS);
    }

    /** The next number from here on of which multiples are easily read. */
    private static double round(double value) {
        double power = Math.pow(10, Math.floor(Math.log10(value)));
        return power
                * ROUND.stream().filter(step -> step * power >= value).findFirst().orElse(10.0);
    }

    private static double x(double value, double most) {
        return LEFT + value / most * (WIDTH - LEFT - RIGHT);
    }

    private static double y(double value, double most) {
        return HEIGHT - BOTTOM - value / most * (HEIGHT - BOTTOM - TOP);
    }

    private static String number(double value) {
        return new DecimalFormat("#,##0.##", DecimalFormatSymbols.getInstance(Locale.ROOT))
                .format(value);
    }
}
