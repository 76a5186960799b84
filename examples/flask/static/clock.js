// Flask has no streams here: savecast asks for the answer again, and sends it when it is another one.
new EventSource("/api/clock").onmessage = ({ data }) => {
  document.querySelector("output").textContent = JSON.parse(data).seconds;
};
