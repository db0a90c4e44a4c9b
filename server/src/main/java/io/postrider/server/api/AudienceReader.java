package io.postrider.server.api;

import io.postrider.server.api.PublishBody.AudienceBody;
import io.postrider.server.api.PublishBody.Kinds;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.BeanProperty;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;

/** Reads an audience: the word "all", or an object. */
final class AudienceReader extends ValueDeserializer<AudienceBody> {
    /** Found once: looking it up for each body means to look at the class again. */
    private final @Nullable ValueDeserializer<Object> kinds;

    AudienceReader() {
        this(null);
    }

    private AudienceReader(@Nullable ValueDeserializer<Object> kinds) {
        this.kinds = kinds;
    }

    @Override
    public ValueDeserializer<?> createContextual(
            DeserializationContext context, @Nullable BeanProperty property) {
        return new AudienceReader(
                context.findContextualValueDeserializer(
                        context.constructType(Kinds.class), property));
    }

    @Override
    public AudienceBody deserialize(JsonParser parser, DeserializationContext context) {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            if (parser.getString().equals("all")) {
                return new AudienceBody("\"all\"", true, null);
            }
        } else if (parser.currentToken() == JsonToken.START_OBJECT) {
            Kinds found = (Kinds) Objects.requireNonNull(kinds).deserialize(parser, context);
            return new AudienceBody(Json.writeText(found), false, found);
        }
        return (AudienceBody) context.handleUnexpectedToken(AudienceBody.class, parser);
    }
}
