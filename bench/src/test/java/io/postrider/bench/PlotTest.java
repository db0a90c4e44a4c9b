package io.postrider.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.bench.Plot.Point;
import java.io.StringReader;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class PlotTest {
    @Test
    void aPointStandsWhereItsValuesAre() throws Exception {
        String svg =
                new Plot("a < b & c", "x", "y")
                        .line("one", List.of(new Point(0, 0), new Point(50, 5), new Point(100, 10)))
                        .svg();
        Document drawn =
                DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(new InputSource(new StringReader(svg)));
        assertThat(drawn.getElementsByTagName("text").item(0).getTextContent())
                .isEqualTo("a < b & c");
        Element line = (Element) drawn.getElementsByTagName("polyline").item(0);
        assertThat(line.getAttribute("points")).isEqualTo("64.0,272.0 297.0,156.0 530.0,40.0");
        assertThat(drawn.getElementsByTagName("circle").getLength()).isEqualTo(3);
    }

    @Test
    void axesHaveRoundNumbers() {
        String svg = new Plot("t", "x", "y").line("one", List.of(new Point(15_000, 7.26))).svg();
        assertThat(svg).contains(">16,000<", ">4,000<", ">8<", ">2<");
        assertThat(new Plot("t", "x", "y").line("one", List.of(new Point(9, 0.3))).svg())
                .contains(">10<", ">2.5<", ">0.4<", ">0.1<");
    }
}
