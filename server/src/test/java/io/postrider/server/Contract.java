package io.postrider.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.model.Request.Method;
import com.atlassian.oai.validator.model.SimpleResponse;
import com.atlassian.oai.validator.report.ValidationReport;
import java.net.http.HttpResponse;

/** Holds answers against docs/openapi.yaml. */
final class Contract {
    private static final OpenApiInteractionValidator VALIDATOR =
            OpenApiInteractionValidator.createFor("io/postrider/server/api/openapi.yaml").build();

    private Contract() {}

    static void check(String method, String path, HttpResponse<String> response) {
        if (method.equals("HEAD")) {
            assertThat(response.body()).isEmpty();
            return;
        }
        SimpleResponse.Builder answer = SimpleResponse.Builder.status(response.statusCode());
        response.headers()
                .map()
                .forEach((name, values) -> values.forEach(value -> answer.withHeader(name, value)));
        if (!response.body().isEmpty()) {
            answer.withBody(response.body());
        }
        int query = path.indexOf('?');
        ValidationReport report =
                VALIDATOR.validateResponse(
                        query < 0 ? path : path.substring(0, query),
                        Method.valueOf(method),
                        answer.build());
        assertThat(report.getMessages())
                .as(method + " " + path + " answered " + response.body())
                .isEmpty();
    }
}
