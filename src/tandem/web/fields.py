"""Form fields with our look and our words. Every form of the pages starts from `StyledForm`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tandem.crm.addresses import BadAddress, checked_address
from tandem.web import clock


class StyledForm(forms.Form):
    """Fields carry the design's classes, and name their error or help by aria-describedby."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            css = {"Select": "select", "Textarea": "textarea", "CheckboxInput": "box"}
            field.widget.attrs.setdefault("class", css.get(type(field.widget).__name__, "input"))
            field.error_messages["required"] = "This is needed."
            if self.is_bound and self.errors.get(name):
                field.widget.attrs["aria-invalid"] = "true"
                field.widget.attrs["aria-describedby"] = f"{self[name].auto_id}-error"
            elif field.help_text:
                field.widget.attrs["aria-describedby"] = f"{self[name].auto_id}-help"


class AddressField(forms.CharField):
    """A mail address, normalised; refused with the reason in words."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not text:
            return ""
        try:
            return checked_address(text)
        except BadAddress as bad:
            raise ValidationError(bad.words) from bad


class PasswordField(forms.CharField):
    """A new password, by the rules of the settings."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.PasswordInput({"autocomplete": "new-password"}))
        super().__init__(strip=False, **kwargs)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if text:
            validate_password(text)
        return text


class ZoneField(forms.CharField):
    """An IANA zone, from the list that the browser offers while typing."""

    widget = forms.TextInput({"list": "zones", "autocomplete": "off", "spellcheck": "false", "data-zone": "1"})

    def clean(self, value: Any) -> str:
        text: str = super().clean(value).strip()
        if text not in clock.zone_names():
            raise ValidationError("This time zone isn’t known. Choose one such as Europe/Berlin.")
        return text
