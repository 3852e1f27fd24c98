"""Form fields with our look and our words. Every form of the pages starts from `StyledForm`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from tandem.crm.addresses import BadAddress, checked_address
from tandem.web import clock

CLASSES: dict[type[forms.Widget], str] = {
    forms.Select: "select",
    forms.Textarea: "textarea",
    forms.CheckboxInput: "box",
}


class StyledBoundField(forms.BoundField):
    """Carries the design's class, and names its error or help by aria-describedby, as `_fields.html` writes them."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        built: dict[str, Any] = super().build_widget_attrs(attrs, widget)
        built["class"] = next((css for kind, css in CLASSES.items() if isinstance(self.field.widget, kind)), "input")
        built.pop("aria-describedby", None)
        if self.errors:
            built |= {"aria-invalid": "true", "aria-describedby": f"{self.auto_id}-error"}
        elif self.help_text:
            built["aria-describedby"] = f"{self.auto_id}-help"
        return built


class StyledForm(forms.Form):
    """Every form with fields of Django: our look, our words."""

    bound_field_class = StyledBoundField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["required"] = "This is needed."


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
