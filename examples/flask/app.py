"""A small app whose pages Flask renders. Nothing in it knows of savecast."""

import os
import secrets
import time

from flask import Flask, jsonify, redirect, render_template, request, session

app = Flask(__name__)
app.secret_key = "only for this example"

notes = ["Save templates/home.html: this page changes in place.", "Save app.py: Flask starts again, and the page waits for it."]


@app.get("/")
def home():
    # Two things that are others in each answer, and no change by themselves.
    session.setdefault("token", secrets.token_urlsafe(24))
    return render_template("home.html", notes=notes, token=session["token"], nonce=secrets.token_hex(16), now=time.strftime("%H:%M:%S"))


@app.post("/notes")
def add():
    if request.form.get("token") != session.get("token"):
        return "This form is not from here.", 403
    notes.append(request.form["note"])
    return redirect("/")


@app.get("/clock")
def clock():
    return render_template("clock.html")


@app.get("/api/clock")
def api_clock():
    return jsonify(seconds=int(time.time()))


if __name__ == "__main__":
    app.run(debug=True, port=int(os.environ.get("PORT", "5000")))
