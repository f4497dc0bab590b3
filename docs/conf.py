# Copyright (c) 2026, certops.issuance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx settings of the documentation site. Built by ``make docs``, offline, with warnings as errors."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx

project = "certops.issuance"
author = "certops.issuance contributors"
copyright = f"2026, {author}"  # the name is Sphinx's
html_title = html_short_title = project

extensions = ["sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_theme_options = {"collapse_navigation": False, "vcs_pageview_mode": "edit"}
highlight_language = "YAML+Jinja"
pygments_style = "ansible"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_use_modindex = False

#: Where Ansible's own documentation stands, and its pages that antsibull-docs refers to by label.
_ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
_LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
_PLUGIN = re.compile(r"ansible_collections\.(?P<page>(?!certops\.)\w+\.\w+\.\w+)(?P<part>__.*)?")


def _link_to_ansible(app: Sphinx, env: object, node: nodes.Element, content: nodes.Element) -> nodes.Node | None:
    """Resolve a label of Ansible's documentation without its inventory, which is not at hand offline."""
    label = str(node.get("reftarget"))
    page = _LABELS.get(label)
    plugin = _PLUGIN.fullmatch(label)
    if plugin:
        page = f"collections/{plugin['page'].replace('.', '/')}.html"
    return nodes.reference("", "", content, refuri=f"{_ANSIBLE}/{page}") if page else None


#: Where the pictures of the guides are for readers elsewhere. This site has its own, which need no network.
_PICTURES = "https://raw.githubusercontent.com/certops/issuance/main/docs/images/"
html_extra_path = ["images"]


def _use_own_pictures(app: Sphinx, page: nodes.document, name: str) -> None:
    """Show the pictures of docs/images from this site."""
    for image in page.findall(nodes.image):
        if image["uri"].startswith(_PICTURES):
            image["uri"] = "../" * name.count("/") + image["uri"].removeprefix(_PICTURES)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("missing-reference", _link_to_ansible)
    app.connect("doctree-resolved", _use_own_pictures)
