package io.postrider.server.publish;

import static org.assertj.core.api.Assertions.assertThat;

import io.postrider.server.identity.Platform;
import io.postrider.server.publish.AudienceLog.Change;
import java.util.List;
import org.junit.jupiter.api.Test;

class TagSetsTest {
    @Test
    void aSnapshotHoldsWhatTheChangesMade() {
        TagSets sets = new TagSets();
        sets.apply(new Change(1, 0, null, Platform.IOS, List.of(), List.of("x", "y")));
        sets.apply(new Change(2, 70_000, null, Platform.WEB, List.of(), List.of("x")));
        sets.apply(new Change(3, 1, null, Platform.WEB, List.of(), List.of("z")));
        sets.apply(new Change(4, 0, Platform.IOS, Platform.IOS, List.of("y"), List.of()));
        sets.apply(new Change(5, 1, Platform.WEB, null, List.of("z"), List.of()));

        TagSets read = TagSets.read(sets.write());

        assertThat(read.live().toArray()).containsExactly(0, 70_000);
        assertThat(read.tagged("x").toArray()).containsExactly(0, 70_000);
        assertThat(read.tagged("y").isEmpty()).isTrue();
        assertThat(read.tagged("z").isEmpty()).isTrue();
        assertThat(read.on(Platform.IOS).toArray()).containsExactly(0);
        assertThat(read.on(Platform.WEB).toArray()).containsExactly(70_000);
        assertThat(read.on(Platform.ANDROID).isEmpty()).isTrue();
    }
}
