// Swagger UI over /openapi.json, which names this origin as its server.
"use strict";

(() => {
  // A browser's fetch() of a stream that never ends would never show its answer.
  const withoutTryingStreams = () => ({
    statePlugins: {
      spec: {
        wrapSelectors: {
          allowTryItOutFor: (original, system) => (state, path, method) => {
            const answer = ["paths", path, method, "responses", "200", "content"];
            const content = system.specSelectors.specJson().getIn(answer);
            return !(content && content.has("text/event-stream")) && original(state, path, method);
          },
        },
      },
    },
  });

  SwaggerUIBundle({
    url: "/openapi.json",
    domNode: document.getElementById("page"),
    plugins: [withoutTryingStreams],
    validatorUrl: null, // it would send the document to another host
    persistAuthorization: false, // an API key does not belong in the browser's storage
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    filter: true,
    tryItOutEnabled: true,
  });
})();
