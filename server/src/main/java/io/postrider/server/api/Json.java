package io.postrider.server.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.postrider.protocol.WellFormed;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;

/** JSON bodies: read strictly, since what is ignored today would mean something tomorrow. */
final class Json {
    private static final String SOURCE = "source";

    /** In the place of what could not be decoded. */
    private static final char REPLACEMENT = '\uFFFD';

    private static final JsonMapper MAPPER =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .disable(TokenStreamFactory.Feature.CHARSET_DETECTION)
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(64)
                                                    .build())
                                    .build())
                    .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                    .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                    .changeDefaultPropertyInclusion(
                            all -> all.withValueInclusion(JsonInclude.Include.NON_NULL))
                    .addModule(
                            new SimpleModule()
                                    .addDeserializer(RawJson.class, new RawJsonDeserializer())
                                    .addDeserializer(String.class, new TextDeserializer()))
                    .build();

    private Json() {}

    /** JSON as it stood in the body, to the letter. */
    record RawJson(String text) {}

    static byte[] write(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    static String writeText(Object value) {
        return new String(write(value), StandardCharsets.UTF_8);
    }

    /**
     * @throws Problem if the body is not JSON, or not of this type
     */
    static <T> T read(byte[] body, Class<T> type) {
        if (body.length == 0) {
            throw Problem.of(ErrorCode.REQUEST_MALFORMED, "The body is empty; send a JSON object.");
        }
        try {
            T value = MAPPER.readerFor(type).withAttribute(SOURCE, body).readValue(body);
            if (value == null) {
                throw Problem.of(ErrorCode.REQUEST_MALFORMED, "The body must be a JSON object.");
            }
            return value;
        } catch (UnrecognizedPropertyException e) {
            throw Problem.field(
                    ErrorCode.UNKNOWN_FIELD,
                    path(e.getPath()),
                    "There is no field '" + shortened(e.getPropertyName()) + "' here.");
        } catch (DatabindException e) {
            if (e.getCause() instanceof Problem problem) {
                throw problem;
            }
            throw wrongType(path(e.getPath()));
        } catch (InputCoercionException e) {
            throw wrongType(path(e.getPath()));
        } catch (JacksonException e) {
            TokenStreamLocation at = e.getLocation();
            throw Problem.of(
                    ErrorCode.REQUEST_MALFORMED,
                    "The body is no JSON, names a key twice, nests deeper than 64, or has a number"
                            + " of over 1,000 digits"
                            + (at == null
                                    ? "."
                                    : "; at line "
                                            + at.getLineNr()
                                            + ", column "
                                            + at.getColumnNr()
                                            + "."));
        }
    }

    private static Problem wrongType(String field) {
        return field.isEmpty()
                ? Problem.of(ErrorCode.REQUEST_MALFORMED, "The body must be one JSON object.")
                : Problem.field(
                        ErrorCode.INVALID_VALUE,
                        field,
                        "The value has another type, or is too" + " large.");
    }

    private static String path(List<JacksonException.Reference> path) {
        StringBuilder names = new StringBuilder();
        for (JacksonException.Reference step : path) {
            if (step.getPropertyName() != null) {
                names.append(names.isEmpty() ? "" : ".").append(step.getPropertyName());
            }
        }
        return shortened(names.toString());
    }

    private static String shortened(String text) {
        String line = text.lines().findFirst().orElse("");
        return line.length() <= 200 ? line : line.substring(0, 200);
    }

    /** Half of a surrogate pair cannot be stored: two such texts would become the same. */
    private static final class TextDeserializer extends ValueDeserializer<String> {
        @Override
        public String deserialize(JsonParser parser, DeserializationContext context) {
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                return (String) context.handleUnexpectedToken(String.class, parser);
            }
            String text = parser.getString();
            if (!WellFormed.isText(text)) {
                throw context.weirdStringException(text, String.class, "no surrogate pair");
            }
            return text;
        }
    }

    private static final class RawJsonDeserializer extends ValueDeserializer<RawJson> {
        @Override
        public RawJson deserialize(JsonParser parser, DeserializationContext context) {
            byte[] source = (byte[]) context.getAttribute(SOURCE);
            int start = (int) parser.currentTokenLocation().getByteOffset();
            parser.skipChildren();
            if (parser.currentToken() == JsonToken.VALUE_STRING) {
                parser.finishToken();
            }
            int end = (int) parser.currentLocation().getByteOffset();
            String text = new String(source, start, end - start, StandardCharsets.UTF_8).strip();
            if (text.indexOf(REPLACEMENT) >= 0 && !isUtf8(source, start, end - start)) {
                throw context.weirdStringException(text, RawJson.class, "not UTF-8");
            }
            return new RawJson(text);
        }

        /** What the parser lets pass and decoding would replace: surrogates, each by itself. */
        private static boolean isUtf8(byte[] bytes, int from, int length) {
            try {
                StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, length));
                return true;
            } catch (CharacterCodingException e) {
                return false;
            }
        }
    }
}
